//! An account as the host has it: passwd, shadow and its groups.

use std::path::Path;

use crate::modules::api::{Fail, Group, Look, User, Value};

/// A user that exists.
#[derive(Clone, Debug)]
pub(super) struct Account {
    pub user: User,
    /// Its line of shadow, if this process may read it.
    pub shadow: Option<Shadow>,
    /// The groups that name it as a member, sorted.
    pub groups: Vec<String>,
}

/// The fields of a line of shadow that matter here. Days count from 1970; `None` is an empty field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Shadow {
    pub password: String,
    pub min: Option<i64>,
    pub max: Option<i64>,
    pub warn: Option<i64>,
    pub inactive: Option<i64>,
    pub expires: Option<i64>,
}

impl Account {
    pub fn find(host: &dyn Look, name: &str, local: bool) -> Result<Option<Account>, Fail> {
        let user = if local { in_passwd(host, name)? } else { host.user(name)? };
        // A name of digits finds the account of that number: that is another account.
        let Some(user) = user.filter(|user| user.name == name) else { return Ok(None) };
        let shadow = host.read(Path::new("/etc/shadow")).ok().flatten().unwrap_or_default();
        let groups = groups(host)?.into_iter().filter(|it| it.members.iter().any(|member| member == name));
        let mut groups: Vec<_> = groups.map(|it| it.name).collect();
        groups.sort();
        Ok(Some(Account { user, shadow: in_shadow(&String::from_utf8_lossy(&shadow), name), groups }))
    }

    /// The fields of a result.
    pub fn fields(&self) -> [(&'static str, Value); 5] {
        [
            ("uid", self.user.uid.into()),
            ("group", self.user.gid.into()),
            ("comment", self.user.gecos.as_str().into()),
            ("home", self.user.home.as_str().into()),
            ("shell", self.user.shell.as_str().into()),
        ]
    }
}

fn in_passwd(host: &dyn Look, name: &str) -> Result<Option<User>, Fail> {
    let text = host.read(Path::new("/etc/passwd"))?.unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    Ok(text.lines().find_map(|line| {
        let fields: Vec<_> = line.split(':').collect();
        let [own, _, uid, gid, gecos, home, shell] = fields[..] else { return None };
        (own == name).then_some(())?;
        Some(User {
            name: own.into(),
            uid: uid.parse().ok()?,
            gid: gid.parse().ok()?,
            gecos: gecos.into(),
            home: home.into(),
            shell: shell.into(),
        })
    }))
}

fn in_shadow(text: &str, name: &str) -> Option<Shadow> {
    let line = text.lines().find(|line| line.split(':').next() == Some(name))?;
    let fields: Vec<_> = line.split(':').collect();
    let number = |at: usize| fields.get(at).and_then(|it| it.parse().ok());
    Some(Shadow {
        password: (*fields.get(1)?).to_owned(),
        min: number(3),
        max: number(4),
        warn: number(5),
        inactive: number(6),
        expires: number(7),
    })
}

/// All groups of `/etc/group`.
fn groups(host: &dyn Look) -> Result<Vec<Group>, Fail> {
    let text = host.read(Path::new("/etc/group"))?.unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    let lines = text.lines().map(|line| line.split(':').collect::<Vec<_>>());
    Ok(lines
        .filter_map(|fields| {
            let [name, _, gid, members] = fields[..] else { return None };
            let members = members.split(',').map(str::trim).filter(|it| !it.is_empty());
            Some(Group {
                name: name.into(),
                gid: gid.parse().ok()?,
                members: members.map(str::to_owned).collect(),
            })
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_shadow_has_empty_fields() {
        let text = "root:*:19000:0:99999:7:::\na:$6$x$y:19000:1:90:14:30:20000:\n";
        let found = in_shadow(text, "a").unwrap();
        assert_eq!((found.min, found.max, found.warn), (Some(1), Some(90), Some(14)));
        assert_eq!((found.inactive, found.expires), (Some(30), Some(20000)));
        assert_eq!(in_shadow(text, "root").unwrap().expires, None);
        assert_eq!(in_shadow(text, "b"), None);
    }
}
