//! The keywords of ssh_config: those that we act on, and those of OpenSSH that we leave alone.

/// What a keyword is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Kind {
    /// The first value counts.
    Used,
    /// All values count.
    Collected,
    /// OpenSSH knows it; for running programs on a host it changes nothing.
    Harmless,
    /// OpenSSH knows it and would behave otherwise than we do.
    Unsupported,
    /// OpenSSH does not know it either.
    Unknown,
}

/// What a keyword, in lower case, is to us.
pub(in super::super) fn kind(keyword: &str) -> Kind {
    let listed = |list: &str| list.split_ascii_whitespace().any(|known| known == keyword);
    match keyword {
        "identityfile" | "certificatefile" => Kind::Collected,
        _ if listed(USED) => Kind::Used,
        _ if listed(HARMLESS) => Kind::Harmless,
        _ if listed(UNSUPPORTED) => Kind::Unsupported,
        _ => Kind::Unknown,
    }
}

/// Other spellings that OpenSSH still takes.
pub(in super::super) fn canonical(keyword: &str) -> &str {
    match keyword {
        "identityfile2" => "identityfile",
        "hostbasedkeytypes" => "hostbasedacceptedalgorithms",
        "pubkeyacceptedkeytypes" => "pubkeyacceptedalgorithms",
        "challengeresponseauthentication" | "skeyauthentication" | "tisauthentication" => {
            "kbdinteractiveauthentication"
        }
        "dsaauthentication" | "rsaauthentication" => "pubkeyauthentication_old",
        "globalknownhostsfile2" => "globalknownhostsfile",
        "userknownhostsfile2" => "userknownhostsfile",
        other => other,
    }
}

const USED: &str = "addressfamily batchmode bindaddress compression connectionattempts connecttimeout forwardagent \
    globalknownhostsfile hashknownhosts hostkeyalgorithms hostkeyalias hostname identitiesonly identityagent \
    ignoreunknown kbdinteractiveauthentication passwordauthentication port preferredauthentications proxycommand \
    proxyjump pubkeyauthentication serveralivecountmax serveraliveinterval stricthostkeychecking user \
    userknownhostsfile";

const HARMLESS: &str = "addkeystoagent canonicaldomains canonicalizefallbacklocal canonicalizehostname \
    canonicalizemaxdots canonicalizepermittedcnames channeltimeout checkhostip clearallforwardings controlmaster \
    controlpath controlpersist enableescapecommandline enablesshkeysign escapechar exitonforwardfailure fingerprinthash \
    forkafterauthentication forwardx11 forwardx11timeout forwardx11trusted gatewayports gssapiauthentication \
    gssapiclientidentity gssapidelegatecredentials gssapikeyexchange gssapirenewalforcesrekey gssapiserveridentity \
    gssapitrustdns hostbasedacceptedalgorithms hostbasedauthentication ipqos kbdinteractivedevices localcommand \
    logfacility loglevel logverbose numberofpasswordprompts obscurekeystroketiming \
    permitlocalcommand permitremoteopen protocol pubkeyauthentication_old requesttty \
    sendenv sessiontype stdinnull streamlocalbindmask streamlocalbindunlink syslogfacility tag tcpkeepalive \
    updatehostkeys useblacklistedkeys usekeychain usesdp versionaddendum visualhostkey warnweakcrypto \
    xauthlocation rhostsrsaauthentication useprivilegedport cipher localforward remoteforward dynamicforward";

const UNSUPPORTED: &str = "bindinterface casignaturealgorithms ciphers kexalgorithms knownhostscommand macs \
    nohostauthenticationforlocalhost pkcs11provider proxyusefdpass pubkeyacceptedalgorithms refuseconnection \
    rekeylimit remotecommand requiredrsasize revokedhostkeys securitykeyprovider setenv tunnel tunneldevice \
    verifyhostkeydns";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_keyword_is_in_two_lists() {
        let all = [USED, HARMLESS, UNSUPPORTED].join(" ");
        let mut words: Vec<&str> = all.split_ascii_whitespace().collect();
        words.sort_unstable();
        let twice: Vec<_> = words.windows(2).filter(|pair| pair[0] == pair[1]).collect();
        assert!(twice.is_empty(), "{twice:?}");
    }
}
