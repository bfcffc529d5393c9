//! Files made from the code can't drift: `UPDATE=1` writes them, without it they are compared.

use regatta::{docs, modules};

use super::root;

pub fn up_to_date(path: &str, fresh: &str) {
    let file = root().join(path);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, fresh).unwrap();
    }
    let on_disk = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(on_disk == fresh, "{path} is out of date: run `UPDATE=1 cargo test generated`");
}

#[test]
fn generated_module_pages_are_those_of_the_code() {
    up_to_date("docs/modules/README.md", &docs::index());
    for entry in modules::ALL {
        up_to_date(&format!("docs/modules/{}.md", entry.name), &docs::page(entry));
    }
}

#[test]
fn generated_pages_are_only_those_of_modules() {
    let pages = super::files("docs/modules", "md");
    let stray = pages.iter().filter(|path| {
        let name = path.file_stem().unwrap().to_string_lossy();
        name != "README" && modules::find(&name).is_none_or(|entry| entry.name != name)
    });
    assert_eq!(stray.collect::<Vec<_>>(), Vec::<&std::path::PathBuf>::new());
}
