//! What the arguments of `ufw` can be; most are ufw's own words.

use schemars::JsonSchema;
use serde::Deserialize;

/// Whether the firewall is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    /// It is, now and after each start.
    Enabled,
    /// It is not.
    Disabled,
    /// It is loaded anew. Always a change.
    Reloaded,
    /// It is off and has no rules but those it came with. Always a change.
    Reset,
}

/// Choices that are the words of ufw itself.
macro_rules! words {
    ($( $(#[$doc:meta])* $name:ident { $( $(#[$each:meta])* $variant:ident = $word:literal ),* $(,)? } )*) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
        pub(super) enum $name { $( $(#[$each])* #[serde(rename = $word)] $variant, )* }
        impl $name {
            pub(super) fn word(self) -> &'static str {
                match self { $( $name::$variant => $word, )* }
            }
        }
    )* };
}

words! {
    /// What happens to packets that no rule is for.
    Policy {
        /// They pass.
        Allow = "allow",
        /// They are dropped.
        Deny = "deny",
        /// They are dropped, and the sender is told.
        Reject = "reject",
    }
    /// Which way packets go.
    Direction {
        /// To the host, for a rule.
        In = "in",
        /// To the host, for a policy.
        Incoming = "incoming",
        /// From the host, for a rule.
        Out = "out",
        /// From the host, for a policy.
        Outgoing = "outgoing",
        /// Through the host, for a policy.
        Routed = "routed",
    }
    /// How much is logged.
    Logging {
        /// Something; how much stays as it is.
        On = "on",
        /// Nothing.
        Off = "off",
        /// What the policy refuses.
        Low = "low",
        /// Also what the policy allows, and new connections.
        Medium = "medium",
        /// The same without a limit.
        High = "high",
        /// Everything.
        Full = "full",
    }
    /// What a rule does.
    Rule {
        /// It lets pass.
        Allow = "allow",
        /// It drops.
        Deny = "deny",
        /// It lets pass at most six connections in half a minute.
        Limit = "limit",
        /// It drops, and tells the sender.
        Reject = "reject",
    }
    /// A protocol.
    Protocol {
        /// Every one.
        Any = "any",
        /// TCP.
        Tcp = "tcp",
        /// UDP.
        Udp = "udp",
        /// IPv6 in IPv4.
        Ipv6 = "ipv6",
        /// IPsec's payload.
        Esp = "esp",
        /// IPsec's header.
        Ah = "ah",
        /// GRE tunnels.
        Gre = "gre",
        /// Multicast groups.
        Igmp = "igmp",
    }
}

/// What a rule's number counts from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Relative {
    /// From the beginning: 1 is the first rule.
    #[default]
    Zero,
    /// From the first rule for IPv4.
    FirstIpv4,
    /// From the last rule for IPv4.
    LastIpv4,
    /// From the first rule for IPv6.
    FirstIpv6,
    /// From the last rule for IPv6.
    LastIpv6,
}
