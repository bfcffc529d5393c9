//! `lvm`: volume groups, logical and physical volumes, as root and where LVM's tools are.

use crate::facts::source::Source;
use crate::modules::api::{Str, Value};

pub(super) fn gather(source: &Source) -> Value {
    let report = |program: &str, columns: &str| {
        source.output(&[
            program,
            "--noheadings",
            "--nosuffix",
            "--units",
            "g",
            "--separator",
            ",",
            "-o",
            columns,
        ])
    };
    let root = source.host.ids().0 == 0;
    let groups = root.then(|| report("vgs", "vg_name,lv_count,pv_count,vg_size,vg_free")).flatten();
    let Some(groups) = groups else { return "N/A".into() };
    let volumes = report("lvs", "lv_name,vg_name,lv_size").unwrap_or_default();
    let disks = report("pvs", "pv_name,vg_name,pv_size,pv_free").unwrap_or_default();
    Value::from_pairs([
        ("lvs", table(&volumes, &["vg", "size_g"])),
        ("vgs", table(&groups, &["num_lvs", "num_pvs", "size_g", "free_g"])),
        ("pvs", table(&disks, &["vg", "size_g", "free_g"])),
    ])
}

/// The first column names a row; the others get these names.
fn table(text: &str, columns: &[&'static str]) -> Value {
    let rows = text.lines().map(|line| line.trim().split(',').collect::<Vec<_>>());
    Value::from_pairs(rows.filter(|row| row.len() > columns.len()).map(|row| {
        let fields = columns.iter().zip(&row[1..]).map(|(name, value)| (*name, *value));
        (Str::from(row[0]), Value::from_pairs(fields))
    }))
}

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn rows_are_named_by_their_first_column() {
        let text = "  root,vg0,10.00\n  swap,vg0,2.00\n\n";
        let expected = "{'root': {'vg': 'vg0', 'size_g': '10.00'}, 'swap': {'vg': 'vg0', 'size_g': '2.00'}}";
        assert_eq!(table(text, &["vg", "size_g"]).to_string(), expected);
    }
}
