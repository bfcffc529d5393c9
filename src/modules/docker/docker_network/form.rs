//! What a network is like: compared with what is wanted, and as the client's words.

use serde_json::Value as Json;

use super::{Args, Range, Scope};
use crate::modules::api::Fail;

impl Args {
    /// What the network has otherwise than wanted.
    pub(super) fn differences(&self, now: &Json) -> Result<Vec<(String, String, String)>, Fail> {
        let text = |json: &Json| match json {
            Json::Null => String::new(),
            Json::String(text) => text.clone(),
            other => other.to_string(),
        };
        let mut all: Vec<(String, String, String)> = Vec::new();
        let mut compare = |name: &str, now: &Json, wanted: Option<String>| {
            if let Some(wanted) = wanted.filter(|wanted| *wanted != text(now)) {
                all.push((name.to_owned(), text(now), wanted));
            }
        };
        let flag = |it: Option<bool>| it.map(|it| it.to_string());
        compare("driver", &now["Driver"], Some(self.driver.clone()).filter(|_| self.config_from.is_none()));
        compare("ipam_driver", &now["IPAM"]["Driver"], self.ipam_driver.clone());
        // Engines before 27 do not say it, and always have it.
        if !now["EnableIPv4"].is_null() {
            compare("enable_ipv4", &now["EnableIPv4"], flag(self.enable_ipv4));
        }
        compare("enable_ipv6", &now["EnableIPv6"], flag(self.enable_ipv6));
        compare("internal", &now["Internal"], flag(self.internal));
        compare("attachable", &now["Attachable"], flag(self.attachable));
        compare("ingress", &now["Ingress"], flag(self.ingress));
        compare("config_only", &now["ConfigOnly"], flag(self.config_only));
        compare("config_from", &now["ConfigFrom"]["Network"], self.config_from.clone());
        compare("scope", &now["Scope"], self.scope.map(|scope| scope.word().to_owned()));
        for (name, at, wanted) in [
            ("driver_options", &now["Options"], Some(&self.driver_options)),
            ("labels", &now["Labels"], Some(&self.labels)),
            ("ipam_driver_options", &now["IPAM"]["Options"], self.ipam_driver_options.as_ref()),
        ] {
            for (key, value) in wanted.map(|it| it.texts(name)).transpose()?.unwrap_or_default() {
                compare(&format!("{name}.{key}"), &at[&key], Some(value));
            }
        }
        if let Some(wanted) = &self.ipam_config {
            let there: &[Json] = now["IPAM"]["Config"].as_array().map_or(&[], Vec::as_slice);
            let mut same = wanted.len() == there.len();
            for range in wanted {
                let mut fits = false;
                for json in there {
                    fits |= range.is(json)?;
                }
                same &= fits;
            }
            if !same {
                let shown: Vec<String> =
                    wanted.iter().map(|it| it.words().map(|it| it.join(" "))).collect::<Result<_, _>>()?;
                all.push(("ipam_config".into(), now["IPAM"]["Config"].to_string(), shown.join(", ")));
            }
        }
        Ok(all)
    }

    /// The words that make it.
    pub(super) fn words(&self) -> Result<Vec<String>, Fail> {
        let mut words = ["network", "create"].map(str::to_owned).to_vec();
        let mut option = |name: &str, value: Option<&String>| {
            words.extend(value.iter().flat_map(|value| [name.to_owned(), (*value).clone()]));
        };
        option("--driver", Some(&self.driver).filter(|_| self.config_from.is_none()));
        option("--ipam-driver", self.ipam_driver.as_ref());
        option("--config-from", self.config_from.as_ref());
        option("--scope", self.scope.map(|scope| scope.word().to_owned()).as_ref());
        for (name, given) in [
            ("--ipv4", self.enable_ipv4),
            ("--ipv6", self.enable_ipv6),
            ("--internal", self.internal),
            ("--attachable", self.attachable),
            ("--ingress", self.ingress),
            ("--config-only", self.config_only),
        ] {
            // Older clients know no `--ipv4`, which is on by default.
            let needed = given.filter(|given| *given != (name == "--ipv4"));
            words.extend(needed.map(|given| format!("{name}={given}")));
        }
        for (option, pairs) in [
            ("--opt", Some(&self.driver_options)),
            ("--label", Some(&self.labels)),
            ("--ipam-opt", self.ipam_driver_options.as_ref()),
        ] {
            for (key, value) in pairs.map(|it| it.texts(option)).transpose()?.unwrap_or_default() {
                words.extend([option.to_owned(), format!("{key}={value}")]);
            }
        }
        for range in self.ipam_config.iter().flatten() {
            words.extend(range.words()?);
        }
        words.push(self.name.clone());
        Ok(words)
    }
}

impl Scope {
    fn word(self) -> &'static str {
        match self {
            Scope::Local => "local",
            Scope::Global => "global",
            Scope::Swarm => "swarm",
        }
    }
}

impl Range {
    fn is(&self, json: &Json) -> Result<bool, Fail> {
        let same = |wanted: &Option<String>, name: &str| {
            wanted.as_ref().is_none_or(|wanted| json[name] == wanted.as_str())
        };
        let aux = self.aux_addresses.as_ref().map(|it| it.texts("aux_addresses")).transpose()?;
        // The engine's own word for them depends on its version.
        let known = ["AuxiliaryAddresses", "AuxAddress"].map(|name| &json[name]);
        let aux = aux.unwrap_or_default();
        let aux = aux.iter().all(|(name, at)| known.iter().any(|known| known[name] == at.as_str()));
        Ok(same(&self.subnet, "Subnet")
            && same(&self.iprange, "IPRange")
            && same(&self.gateway, "Gateway")
            && aux)
    }

    fn words(&self) -> Result<Vec<String>, Fail> {
        let mut words = Vec::new();
        for (option, value) in
            [("--subnet", &self.subnet), ("--ip-range", &self.iprange), ("--gateway", &self.gateway)]
        {
            words.extend(value.iter().flat_map(|value| [option.to_owned(), value.clone()]));
        }
        let aux = self.aux_addresses.as_ref().map(|it| it.texts("aux_addresses")).transpose()?;
        for (name, at) in aux.unwrap_or_default() {
            words.extend(["--aux-address".to_owned(), format!("{name}={at}")]);
        }
        Ok(words)
    }
}
