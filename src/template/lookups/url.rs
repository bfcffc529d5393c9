//! `url`: what a URL answers. The answer is data, as everything from outside.

use std::time::Duration;

use base64::Engine as _;
use ureq::Agent;
use ureq::tls::TlsConfig;

use crate::value::Value;

use super::{Call, Outcome};

/// The most that is read of an answer.
const LIMIT: u64 = 256 * 1024 * 1024;

pub(super) fn url(call: &Call<'_>) -> Outcome {
    let split = call.flag("split_lines", true)?;
    let mut out = Vec::new();
    for url in call.words() {
        let body = get(call, &url)?;
        if split {
            out.extend(body.lines().map(Value::from));
        } else {
            out.push(Value::from(body));
        }
    }
    Ok(out)
}

fn get(call: &Call<'_>, url: &str) -> Outcome<String> {
    let seconds = match call.option("timeout") {
        Some(Value::Float(it)) => *it,
        Some(other) => {
            other.to_string().parse::<f64>().map_err(|_| "`timeout` must be a number of seconds")?
        }
        None => 10.0,
    };
    let mut builder = Agent::config_builder()
        .timeout_global(Some(
            Duration::try_from_secs_f64(seconds).map_err(|_| "`timeout` must not be negative")?,
        ))
        .user_agent(call.text("http_agent").unwrap_or_else(|| "ansible-httpget".into()))
        .max_redirects(match call.text("follow_redirects").as_deref() {
            Some("no" | "none" | "None" | "False") => 0,
            _ => 10,
        });
    if !call.flag("use_proxy", true)? {
        builder = builder.proxy(None);
    }
    if !call.flag("validate_certs", true)? {
        builder = builder.tls_config(TlsConfig::builder().disable_verification(true).build());
    }
    let agent: Agent = builder.build().into();
    let mut request = agent.get(url);
    if let Some(Value::Map(headers)) = call.option("headers") {
        for (name, value) in headers.iter() {
            request = request.header(&**name, value.to_string());
        }
    }
    if let Some(user) = call.text("username") {
        let pair = format!("{user}:{}", call.text("password").unwrap_or_default());
        let pair = base64::engine::general_purpose::STANDARD.encode(pair);
        request = request.header("Authorization", format!("Basic {pair}"));
    }
    // The URL may carry a password: messages show it without.
    let shown = without_password(url);
    let mut answer = request.call().map_err(|error| format!("{shown}: {error}"))?;
    let bytes = answer.body_mut().with_config().limit(LIMIT).read_to_vec();
    let bytes = bytes.map_err(|error| format!("{shown}: {error}"))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn without_password(url: &str) -> String {
    match url::Url::parse(url) {
        Ok(mut parsed) if parsed.password().is_some() => {
            let _ = parsed.set_password(Some("***"));
            parsed.to_string()
        }
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::without_password;

    #[test]
    fn messages_show_no_password_of_a_url() {
        assert_eq!(without_password("https://u:secret@host/x"), "https://u:***@host/x");
        assert_eq!(without_password("https://host/x"), "https://host/x");
    }
}
