//! The codes of our messages: a line each, and what `regatta explain CODE` says.
//!
//! R0 files and YAML · R1 playbooks and arguments · R2 templates · R3 inventory · R4 connections · R5 runs and
//! settings · R9 mistakes of ours. A code keeps its meaning for ever; gaps are room to grow.

/// Makes the constants and the table from one list, so that no code goes unexplained.
macro_rules! codes {
    ($( $name:ident $code:literal $summary:literal $text:literal )*) => {
        /// The codes by name, for those who make diagnostics.
        pub mod code {
            $( #[doc = $summary] pub const $name: &str = $code; )*
        }

        /// Code, summary, explanation. In order of the codes.
        pub const CODES: &[(&str, &str, &str)] = &[ $( ($code, $summary, $text), )* ];
    };
}

codes! {
    YAML_SYNTAX "R001" "The text is not valid YAML"
    "The file could not be read as YAML. The place shown is where reading had to stop; the mistake itself is often \
    a line or two above it: a missing colon, a bracket that is never closed, or a line that is indented differently \
    from its neighbors."
    YAML_TAB "R002" "A tab is used for indentation"
    "YAML indents with spaces only. Replace the tab by spaces, as many as the lines around it have; most editors \
    can be told to insert spaces when the tab key is pressed."
    YAML_INDENTATION "R003" "The indentation does not fit the lines around it"
    "Entries of one mapping, and items of one list, must all start in the same column. Compare the line shown with \
    the one above it."
    YAML_DUPLICATE_KEY "R004" "A key is given twice in one mapping"
    "A mapping can hold each key once. The last one counts and the earlier value is lost, which is rarely what was \
    meant. Remove one of the two."
    YAML_UNKNOWN_ALIAS "R005" "An alias names an anchor that does not exist"
    "`*name` repeats the value that was marked `&name` earlier in the same document. A plain text that begins with \
    an asterisk must be quoted: `\"*.example.com\"`."
    YAML_TOO_DEEP "R006" "The nesting is too deep"
    "Lists and mappings are nested deeper than any real file needs. Look for brackets that are opened again and \
    again and never closed."
    YAML_ALIAS_LIMIT "R007" "The aliases stand for too much"
    "Aliases that repeat other aliases can make a small file stand for billions of values. The limit protects the \
    memory of this machine. Write the values out, or keep them in variables."
    YAML_TAG "R008" "A tag is not known"
    "Known tags are `!vault`, `!unsafe` and YAML's own (`!!str`, `!!int`, `!!binary` …). A plain text that begins \
    with an exclamation mark must be quoted: `\"!all\"`."
    YAML_KEY "R009" "A list or a mapping stands where a key is needed"
    "Keys are single values. A common cause is an unquoted template at the start of a key: write \
    `\"{{ name }}\": value` with the quotes."
    YAML_UNQUOTED_TEMPLATE "R010" "A value starts with a template and is not quoted"
    "An opening brace starts a mapping in YAML, so `name: {{ x }}` is not a text. Put the whole value in quotes: \
    `name: \"{{ x }}\"`."
    YAML_UNCLOSED_QUOTE "R011" "A quote is opened and never closed"
    "The text runs to the end of the file. Close the quote; to have a quote inside the text, double it within single \
    quotes ('it''s') or put a backslash before it within double quotes."
    YAML_COLON "R012" "A colon followed by a space stands inside a plain text"
    "In an unquoted text `: ` starts a new mapping, which is not possible there. Put the whole value in quotes: \
    `msg: \"Note: done\"`."
    YAML_MERGE "R013" "`<<` does not stand for a mapping"
    "The merge key `<<` takes a mapping, or a list of mappings, mostly by alias: `<<: *defaults`."
    FILE_UNREADABLE "R014" "A file can't be read"
    "The file does not exist, or this user may not read it."
    FILE_ENCODING "R015" "A file is not UTF-8 text"
    "All files with playbooks, variables and inventories are read as UTF-8. Convert the file, for example with \
    `iconv -f latin1 -t utf-8`."
    VAULT_UNREADABLE "R016" "Encrypted text can't be decrypted"
    "The text was encrypted with ansible-vault. Give the password with `--vault-password-file`, `--vault-id` or \
    `--ask-vault-pass`; if there was one, it is not the one that this text was encrypted with, or the text is damaged."
    YAML_VALUE "R017" "A value does not fit its tag"
    "A tag such as `!!int` or `!!binary` says what the value must be, and the text after it is something else."
    FILE_TOO_LARGE "R018" "A file is too large"
    "Playbooks, variables and inventories are kept in memory with the place of each value. Keep bulk data in files \
    that are copied or looked up instead."
    YAML_DOCUMENTS "R019" "A file holds several documents where one is expected"
    "`---` on a line of its own starts a new document. Only the first is of use here; split the file, or remove the \
    line."
    VAULT_PASSWORD "R020" "There is no vault password"
    "A source of vault passwords gave none: a file that can't be read, a program that failed, or nobody who could be \
    asked. See `--vault-id` and `--vault-password-file`."

    UNKNOWN_MODULE "R101" "There is no module of this name"
    "The task's key is neither a module nor a keyword. `regatta doc` lists the modules; your own ones are found in \
    `library/` next to the playbook or in a role."
    UNKNOWN_ARGUMENT "R102" "The module has no argument of this name"
    "`regatta doc MODULE` lists the arguments. A keyword of the task (`when`, `loop`, `become` …) that is indented too \
    far is taken for an argument: move it to the left, below the module's name."
    MISSING_ARGUMENT "R103" "An argument that the module needs is missing"
    "`regatta doc MODULE` says which arguments are required, and which are needed together."
    BAD_ARGUMENT "R104" "The value of an argument is not of the right kind"
    "The module expects another type: a number, a truth value, a list, a path. The message says which."
    BAD_CHOICE "R105" "The value of an argument is not one of the choices"
    "The argument takes one of a few fixed words; `regatta doc MODULE` lists them."
    CONFLICTING_ARGUMENTS "R106" "Arguments that exclude each other are given together"
    "Remove one of them. `regatta doc MODULE` says which ones do not go together."
    DUPLICATE_ARGUMENT "R107" "An argument is given twice under different names"
    "Some arguments have a second name (`dest` and `path`, `name` and `pkg`). Give only one."
    BAD_FREE_FORM "R108" "The arguments on the module's line can't be read"
    "Arguments on one line are written `key=value`, separated by blanks, with values that contain blanks in quotes. \
    Only a few modules (`command`, `shell`, `raw`, `script` …) take free text."
    UNSUPPORTED_MODULE "R109" "The module is known but not built in"
    "Ansible has this module; Regatta does not have it yet. Put an executable of that name into `library/`, or use \
    `command` in its place."
    UNKNOWN_KEYWORD "R110" "There is no keyword of this name"
    "The documentation of playbook keywords lists what a play, a role, a block and a task may have."
    MISPLACED_KEYWORD "R111" "The keyword does not belong here"
    "The keyword exists, but not at this level: `hosts` belongs to a play, `register` to a task, `rescue` to a block."
    BAD_KEYWORD "R112" "The value of a keyword is not of the right kind"
    "The keyword takes another type of value; the message says which."
    MISSING_KEYWORD "R113" "A keyword that is needed is missing"
    "A play needs `hosts`; a handler needs a `name` or `listen`."
    NO_MODULE "R114" "The task has no module"
    "Each task calls one module, includes something, or is a block. Look for a line that is indented wrongly, or a \
    misspelled module name."
    TWO_MODULES "R115" "The task has two modules"
    "A task calls one module. Start the second one with a `-` of its own, or indent it if it was meant as an argument."
    UNKNOWN_HANDLER "R116" "No handler has this name"
    "`notify` names a handler by its `name` or by a topic that handlers `listen` to. Names are compared as they are, \
    upper and lower case included."
    MISSING_ROLE "R117" "The role can't be found"
    "Roles are looked for in `roles/` next to the playbook, in `roles_path`, next to the current role, and in \
    collections. The message lists the folders that were searched."
    MISSING_FILE "R118" "A file that the playbook names does not exist"
    "Relative names are looked for in the role's folder of that kind (`tasks/`, `files/`, `templates/`, `vars/`), in \
    the role, next to the current file, and next to the playbook."
    MISSING_PLAYBOOK "R119" "The playbook does not exist"
    "The name is taken relative to the current folder, and for `import_playbook` relative to the importing playbook."
    NOT_A_PLAYBOOK "R120" "The file does not have the shape that is needed"
    "A playbook is a list of plays; a file of tasks is a list of tasks; a file of variables is a mapping. Each item \
    of a list starts with `- `."
    BAD_LOOP "R121" "The loop can't be understood"
    "A task has either `loop` or one `with_…`, and `loop_control` only together with them."
    IMPORT_CYCLE "R122" "Files or roles import each other in a circle"
    "The message shows the way around. Use `include_…` with a condition if the repetition is meant."
    BAD_BLOCK "R123" "The block is not complete"
    "`rescue` and `always` need a `block` beside them, and each of the three is a list of tasks."
    BAD_VARIABLE_NAME "R124" "The name can't be used for a variable"
    "Names of variables consist of letters, digits and underscores and do not begin with a digit. Words with a \
    meaning in templates, such as `true`, `not` or `in`, can't be used."
    DYNAMIC_IMPORT "R125" "An import depends on something that is not known yet"
    "`import_…` is done before the run, so it can't be looped and its name can use extra variables only. Use \
    `include_…` instead."
    DEPRECATED "R126" "This way of writing is out of date"
    "It still works. The message says what to write instead."
    RESERVED_NAME "R127" "A variable has the name of something built in"
    "The variable hides a keyword or a variable that is always there, or is hidden by it. Choose another name."

    TEMPLATE_SYNTAX "R201" "The template is not well formed"
    "Expressions stand in `{{ }}`, statements in `{% %}`, comments in `{# #}`. Text that looks like a template and is \
    none can be marked `!unsafe`, or wrapped in `{% raw %} … {% endraw %}`."
    UNDEFINED "R202" "A variable is not defined"
    "The name is misspelled, or the variable is not set for this host at this point. `x | default('…')` gives a value \
    to fall back on; `x is defined` asks."
    UNKNOWN_FILTER "R203" "There is no filter of this name"
    "`regatta doc -t filter` lists the filters. Filters written in Python are not run."
    UNKNOWN_TEST "R204" "There is no test of this name"
    "Tests follow `is`: `result is changed`, `x is defined`, `name is match('^web')`. `regatta doc -t test` lists them."
    UNKNOWN_LOOKUP "R205" "There is no lookup of this name"
    "`regatta doc -t lookup` lists the lookups. Lookups written in Python are not run."
    UNKNOWN_FUNCTION "R206" "There is no function of this name"
    "Templates can call `lookup`, `query`, `range`, `dict`, `now`, and methods of values such as `text.split(',')`."
    RECURSION "R207" "A variable is defined by itself"
    "To know the variable's value its own value is needed, perhaps by way of other variables. The message shows the \
    way around. Use a second name."
    PYTHON_PLUGIN "R208" "A plugin written in Python is not run"
    "Regatta has no Python inside. Filters, tests and lookups are built in; a module of your own can be any executable \
    in `library/`."
    TEMPLATE_FAILED "R209" "The template could not be evaluated"
    "A filter, a test or an operator got a value that it can't work with. The message says which and why."
    CONDITION "R210" "The condition is not a truth value"
    "`when`, `until`, `changed_when`, `failed_when` and `that` are expressions already: write them without `{{ }}`, \
    and compare explicitly, as in `count | int > 0` or `list | length > 0`."
    LOOP_NOT_A_LIST "R211" "The loop's value is not a list"
    "`loop` needs a list. Use `dict2items` for a mapping, `[x]` for a single value."
    LOOKUP_FAILED "R212" "The lookup failed"
    "The message says why. `errors='ignore'` makes the lookup give nothing instead."
    UNSAFE_TEMPLATE "R213" "Text from outside looks like a template"
    "Results and facts of hosts, and answers of scripts, are never templated: the text is used as it stands."
    UNKNOWN_METHOD "R214" "There is no method of this name"
    "Values have Python's methods: `text.split(',')`, `mapping.items()`, `list.index(x)`. The name may be misspelled, or be that \
    of a filter: `x | upper`."
    UNKNOWN_FACT "R215" "Nothing gathers this fact"
    "The fact comes from a module, a program or a kind of host that Regatta does not know, so it is never defined unless your \
    own variables define it. Give it a `default`, or take it from somewhere else."

    INVENTORY_SYNTAX "R301" "The inventory can't be read"
    "The source is neither valid as INI nor as YAML or JSON. The place shown is where reading had to stop."
    INVENTORY_MISSING "R302" "The inventory does not exist"
    "The path given with `-i`, or in the configuration, was not found. A list of hosts needs a comma: `-i web1,`."
    INVENTORY_SCRIPT "R303" "The inventory script failed"
    "An executable inventory is run with `--list` and must print a JSON object and end with status 0. Run it by hand \
    to see what it says. A file that is not a script should not be executable."
    INVENTORY_CYCLE "R304" "Groups contain each other in a circle"
    "A group can't be a child of itself, not even by way of other groups."
    INVENTORY_RANGE "R305" "The range in a host name is not valid"
    "Ranges are written `web[01:20]`, `db-[a:f]` or `n[0:10:2]`: first, last, and perhaps a step."
    INVENTORY_GROUP "R306" "A group is not defined"
    "`[name:children]` and `[name:vars]` speak of groups that must exist as `[name]` in the same file."
    PATTERN_SYNTAX "R307" "The pattern of hosts is not valid"
    "Patterns are names of hosts and groups, with `*` and `?`, `~` before a regular expression, `:` or `,` between \
    them, `&` for those also in a group, `!` for those not in it, and `group[0]` or `group[0:2]` for some of a group."
    PATTERN_NO_MATCH "R308" "No host or group matches the pattern"
    "Nothing in the inventory has this name. `regatta inventory --graph` shows what there is."
    LIMIT_NO_MATCH "R309" "The limit leaves no host"
    "`--limit` only chooses among the hosts of the play, so that nothing is left to do."
    INVENTORY_PLUGIN "R310" "The inventory needs a plugin that is not built in"
    "Files with a `plugin:` entry are made for inventory plugins in Python. Let `ansible-inventory --list` write a \
    JSON file, or use an executable script that prints the hosts."
    INVENTORY_NAME "R311" "The name is not good for a host or a group"
    "A host and a group should not have the same name, and groups should be named with letters, digits and \
    underscores, so that they can be used in patterns and templates."
    VARIABLES_FILE "R312" "A file of variables is not a mapping"
    "Files in `group_vars` and `host_vars` hold `name: value` pairs."
    NO_INVENTORY "R313" "There is no inventory"
    "Without an inventory there is only `localhost`. Give one with `-i`."

    UNREACHABLE "R401" "The host can't be reached"
    "The name could not be resolved, or nothing answers at its port. Try the same with `ssh -v`."
    HOST_KEY_UNKNOWN "R402" "The host's key is not known"
    "The host is not in `known_hosts`, so that nobody can say whether it is the right one. Log in once with `ssh`, \
    add its key with `ssh-keyscan` after comparing the fingerprint, or trust new keys with \
    `StrictHostKeyChecking accept-new`."
    HOST_KEY_CHANGED "R403" "The host's key is not the one that is known"
    "Either the host was installed anew, or somebody is in between. Find out which before you remove the old key with \
    `ssh-keygen -R HOST`."
    AUTHENTICATION "R404" "The host does not let us in"
    "None of the keys, certificates and passwords was accepted. The message lists what was tried."
    NO_WORKER "R405" "There is no worker for this kind of machine"
    "The small program that runs on hosts is built per kind of machine. The message names the one that is missing and \
    where it is looked for."
    WORKER_DIED "R406" "The worker ended without an answer"
    "The program on the host was killed, or the connection broke while a task ran. What the task did before is not \
    known; run it again."
    BECOME "R407" "Changing the user failed"
    "`sudo`, `su` or `doas` refused, or asked for a password that was not given: `--ask-become-pass`."
    TIMEOUT "R408" "The host did not answer in time"
    "`--timeout` sets how long to wait for connections."
    UNKNOWN_CONNECTION "R409" "There is no connection of this kind"
    "Known are `ssh`, `local` and `docker`."
    SSH_CONFIG "R410" "A line of the SSH configuration can't be used"
    "The file is read as OpenSSH reads it, except for a few options. The message says what is ignored."
    PROXY "R411" "The way to the host is broken"
    "A jump host or proxy command on the way failed. The message says which one."

    SETTING_IGNORED "R501" "A setting has no effect here"
    "The setting exists in Ansible, but Regatta works in another way. It can be removed."
    SETTING_UNKNOWN "R502" "There is no setting of this name"
    "`regatta doc --settings` lists the settings."
    SETTING_VALUE "R503" "The value of a setting is not valid"
    "The message says what is expected."
    UNKNOWN_STRATEGY "R504" "There is no strategy of this name"
    "Known are `linear`, `free` and `host_pinned`."
    NO_HOSTS "R505" "The play has no hosts"
    "No host of the inventory matches `hosts`, so that the play is passed over."
    RUN_FAILED "R506" "The task failed"
    "The module says what went wrong. `ignore_errors`, `failed_when` and `rescue` deal with failures that are expected."
    NO_CHECK_MODE "R507" "The task can't say what it would do"
    "The module can't look ahead, so that it is skipped in check mode."
    START_NOT_FOUND "R508" "No task has the name that the run should begin at"
    "`--start-at-task` takes a name or a pattern with `*`. Tasks that are included while the run goes on do not count."

    INTERNAL "R901" "A mistake in Regatta"
    "This should not happen. Please report it with the message and, if you can, a small playbook that shows it."
    MODULE_PANIC "R902" "A module crashed"
    "This is a mistake in the module. The task counts as failed; what it did before is not known. Please report it."
    PROTOCOL "R903" "The worker said something that makes no sense"
    "The program on the host and this one do not understand each other. Please report it."
}

/// The summary and explanation of a code.
#[must_use]
pub fn explain(code: &str) -> Option<(&'static str, &'static str)> {
    CODES
        .iter()
        .find(|(name, _, _)| name.eq_ignore_ascii_case(code))
        .map(|(_, summary, text)| (*summary, *text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_sorted_and_explained() {
        assert!(CODES.is_sorted_by(|a, b| a.0 < b.0));
        for (code, summary, text) in CODES {
            assert!(code.len() == 4 && code.starts_with('R'), "{code}");
            assert!(code[1..].bytes().all(|b| b.is_ascii_digit()), "{code}");
            assert!(!summary.ends_with('.') && text.ends_with('.'), "{code}");
            assert!(text.len() > 25, "{code}");
        }
    }

    #[test]
    fn a_code_is_found_in_any_case() {
        assert_eq!(explain("r004").map(|(summary, _)| summary), Some("A key is given twice in one mapping"));
        assert_eq!(explain("R000"), None);
        assert_eq!(code::YAML_DUPLICATE_KEY, "R004");
    }
}
