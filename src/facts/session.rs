//! Who this process is, its environment, and the date.

use std::time::UNIX_EPOCH;

use super::source::{Source, put};
use crate::modules::api::{Map, Str, Value};

pub(super) fn user(source: &Source, facts: &mut Map) {
    let status = source.text("/proc/self/status").unwrap_or_default();
    let (uid, gid) = source.host.ids();
    let pair = |name: &str, fallback: u32| -> (i64, i64) {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        let mut numbers = line.split_whitespace().filter_map(|word| word.parse::<i64>().ok());
        let real = numbers.next().unwrap_or_else(|| fallback.into());
        (real, numbers.next().unwrap_or(real))
    };
    let (real_uid, effective_uid) = pair("Uid:", uid);
    let (real_gid, effective_gid) = pair("Gid:", gid);
    if let Ok(Some(user)) = source.host.user(&real_uid.to_string()) {
        put(facts, "user_id", user.name);
        put(facts, "user_uid", user.uid);
        put(facts, "user_gid", user.gid);
        put(facts, "user_gecos", user.gecos);
        put(facts, "user_dir", user.home);
        put(facts, "user_shell", user.shell);
    } else {
        put(facts, "user_id", real_uid.to_string());
        put(facts, "user_uid", real_uid);
        put(facts, "user_gid", real_gid);
    }
    put(facts, "real_user_id", real_uid);
    put(facts, "effective_user_id", effective_uid);
    put(facts, "real_group_id", real_gid);
    put(facts, "effective_group_id", effective_gid);
}

/// The environment that a command of a task would see.
pub(super) fn environment(source: &Source, facts: &mut Map) {
    let Some(text) = source.output(&["cat", "/proc/self/environ"]) else { return };
    let mut map = Map::new();
    for pair in text.split('\0') {
        // What `output` itself sets is not the host's.
        if let Some((name, value)) = pair.split_once('=').filter(|(name, _)| *name != "LC_ALL") {
            map.insert(Str::from(name), Value::from(value));
        }
    }
    match source.host.env("LANG") {
        Some(lang) => map.insert("LANG".into(), lang.into()),
        None => map.shift_remove("LANG"),
    };
    if let Some(locale) = source.host.env("LC_ALL") {
        map.insert("LC_ALL".into(), locale.into());
    }
    map.sort_unstable_keys();
    put(facts, "env", map);
}

/// Local time comes from `date`, which knows the time zone; the moment itself is the host's clock once.
pub(super) fn date_time(source: &Source, facts: &mut Map) {
    let now = source.host.now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let (seconds, micros) = (now.as_secs(), now.subsec_micros());
    let at = format!("@{seconds}");
    let format = "+%Y %m %W %A %w %d %H %M %S %z %Z";
    let local = source.output(&["date", "-d", &at, format]).unwrap_or_default();
    let words: Vec<_> = local.split_whitespace().collect();
    let utc = source.output(&["date", "-u", "-d", &at, "+%Y-%m-%dT%H:%M:%S"]).unwrap_or_default();
    let [year, month, week, weekday, number, day, hour, minute, second, offset, zone] = words[..] else {
        return;
    };
    let zone_file = source.host.read("/etc/localtime".as_ref()).ok().flatten().unwrap_or_default();
    let own_zone = source.host.env("TZ").is_none();
    let summer = own_zone.then(|| summer_name(&zone_file)).flatten();
    let utc = utc.trim();
    let fields: [(&str, String); 20] = [
        ("year", year.into()),
        ("month", month.into()),
        ("weekday", weekday.into()),
        ("weekday_number", number.into()),
        ("weeknumber", week.into()),
        ("day", day.into()),
        ("hour", hour.into()),
        ("minute", minute.into()),
        ("second", second.into()),
        ("epoch", seconds.to_string()),
        ("epoch_int", seconds.to_string()),
        ("date", format!("{year}-{month}-{day}")),
        ("time", format!("{hour}:{minute}:{second}")),
        ("iso8601_micro", format!("{utc}.{micros:06}Z")),
        ("iso8601", format!("{utc}Z")),
        ("iso8601_basic", format!("{year}{month}{day}T{hour}{minute}{second}{micros:06}")),
        ("iso8601_basic_short", format!("{year}{month}{day}T{hour}{minute}{second}")),
        ("tz", zone.into()),
        ("tz_dst", summer.unwrap_or_else(|| zone.to_owned())),
        ("tz_offset", offset.into()),
    ];
    put(facts, "date_time", Value::from_pairs(fields));
}

/// The name of summer time from the last line of a time zone file: `CET-1CEST,M3.5.0,M10.5.0/3`.
fn summer_name(zone: &[u8]) -> Option<String> {
    let text = zone.strip_suffix(b"\n")?;
    let line = text.rsplit(|byte| *byte == b'\n').next()?;
    let line = std::str::from_utf8(line).ok()?;
    let (names, _) = line.split_once(',')?;
    let rest = skip_name(names);
    let name = rest.trim_start_matches(|c: char| c.is_ascii_digit() || ":+-".contains(c));
    let name: String = name.trim_start_matches('<').chars().take_while(char::is_ascii_alphanumeric).collect();
    (!name.is_empty()).then_some(name)
}

/// Behind the standard name, which may stand in angle brackets.
fn skip_name(text: &str) -> &str {
    match text.strip_prefix('<').and_then(|rest| rest.split_once('>')) {
        Some((_, rest)) => rest,
        None => text.trim_start_matches(|c: char| c.is_ascii_alphabetic()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summer_time_is_named_by_the_zones_last_line() {
        for (line, name) in [
            ("CET-1CEST,M3.5.0,M10.5.0/3", Some("CEST")),
            ("EST5EDT,M3.2.0,M11.1.0", Some("EDT")),
            ("UTC0", None),
            ("<-03>3<-02>,M3.5.0/-2,M10.5.0/-1", None),
        ] {
            let zone = format!("TZif...\n{line}\n");
            assert_eq!(summer_name(zone.as_bytes()).as_deref(), name, "{line}");
        }
    }
}
