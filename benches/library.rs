//! Parts of the library: inventory, templates, frames.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use regatta::diag::Sources;
use regatta::inventory::Inventory;
use regatta::proto::FromWorker;
use regatta::proto::frame::{read_frame, write_frame};
use regatta::template::{Binding, Engine, Scope, Settings};
use regatta::value::{Str, Value};
use regatta::yaml;

use super::{median, millis, row};

pub fn all() {
    inventory();
    templates();
    frames();
}

fn inventory() {
    let mut text = String::new();
    for group in 0..200 {
        let _ = writeln!(text, "[g{group}]");
        for host in 0..50 {
            let number = group * 50 + host;
            let _ = writeln!(
                text,
                "host{number:05} ansible_host=10.0.{}.{} rack={group}",
                number / 250,
                number % 250
            );
        }
    }
    text += "[all:vars]\nansible_user=admin\n";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hosts.ini");
    std::fs::write(&path, text).unwrap();
    let source = vec![path.to_string_lossy().into_owned()];
    let took = median(7, || {
        let (inventory, problems) = Inventory::load(&source, &Arc::new(Sources::default()));
        assert!(problems.is_empty());
        assert_eq!(inventory.hosts("all").unwrap().len(), 10_000);
    });
    row("inventory of 10,000 hosts in 200 groups, loaded", &millis(took), "500 ms");
}

#[derive(Debug)]
struct Names;

impl Scope for Names {
    fn lookup(&self, name: &str) -> Option<Binding> {
        (name == "name").then(|| Binding::Data(Value::from("web01")))
    }

    fn names(&self) -> Vec<Str> {
        vec!["name".into()]
    }

    fn search_path(&self) -> &[PathBuf] {
        &[]
    }

    fn playbook_dir(&self) -> &Path {
        Path::new("/")
    }
}

fn templates() {
    let sources = Arc::new(Sources::default());
    let engine = Engine::new(sources.clone(), Settings::default());
    let scope: Arc<dyn Scope> = Arc::new(Names);
    let text = "text: \"{{ name | upper }}.example.org\"\nwhen: name == 'web01' and name is match('web')\n";
    let document = yaml::parse_text("bench", text, &sources).documents.remove(0);
    let (template, condition) = (document.get("text").unwrap(), document.get("when").unwrap());
    let took = median(5, || {
        for _ in 0..10_000 {
            assert_eq!(engine.text(template, &scope).unwrap(), "WEB01.example.org");
        }
    });
    row("10,000 templates rendered", &millis(took), "");
    let took = median(5, || {
        for _ in 0..10_000 {
            assert!(engine.condition(condition, &scope).unwrap());
        }
    });
    row("10,000 conditions evaluated", &millis(took), "");
}

fn frames() {
    let piece = vec![7; 64 << 10];
    let took = median(5, || {
        let mut wire = Vec::with_capacity(70 << 20);
        for _ in 0..1000 {
            write_frame(&mut wire, &FromWorker::Piece { call: 1, data: piece.clone() }).unwrap();
        }
        let mut rest = wire.as_slice();
        while let Some(FromWorker::Piece { data, .. }) = read_frame(&mut rest).unwrap() {
            assert_eq!(data.len(), piece.len());
        }
    });
    let rate = 62.5 / took.as_secs_f64();
    row("frames of 64 KiB, written and read", &format!("{rate:.0} MiB/s"), "");
}
