//! An address with the network that it is in.

use std::net::{Ipv4Addr, Ipv6Addr};

use minijinja::value::{Value, ValueKind};

use crate::template::filters::python;

/// An address and the length of its network's prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Net {
    /// Whether it is IPv6.
    pub(super) six: bool,
    /// The address as a number.
    pub(super) address: u128,
    /// The length of the prefix in bits.
    pub(super) prefix: u32,
    /// Whether the prefix was written.
    pub(super) written: bool,
}

impl Net {
    /// What a text or a number says; none if it is no address.
    pub(super) fn of(value: &Value) -> Option<Net> {
        match value.kind() {
            ValueKind::Number => Net::number(u128::try_from(python::as_int(value)?).ok()?),
            ValueKind::String => Net::parse(value.as_str()?.trim()),
            _ => None,
        }
    }

    fn number(address: u128) -> Option<Net> {
        let six = u32::try_from(address).is_err();
        Some(Net { six, address, prefix: if six { 128 } else { 32 }, written: false })
    }

    /// `address`, `address/24` or `address/255.255.255.0`.
    pub(super) fn parse(text: &str) -> Option<Net> {
        let (host, prefix) = text.split_once('/').map_or((text, None), |(host, prefix)| (host, Some(prefix)));
        let (six, address) = match (host.parse::<Ipv4Addr>(), host.parse::<Ipv6Addr>()) {
            (Ok(four), _) => (false, u128::from(u32::from(four))),
            (_, Ok(six)) => (true, u128::from(six)),
            _ if prefix.is_none() && !host.is_empty() && host.bytes().all(|b| b.is_ascii_digit()) => {
                return Net::number(host.parse().ok()?);
            }
            _ => return None,
        };
        let bits = if six { 128 } else { 32 };
        let length = match prefix {
            None => bits,
            Some(prefix) => match prefix.parse::<u32>() {
                Ok(length) => length,
                Err(_) => mask_length(prefix, six)?,
            },
        };
        (length <= bits).then_some(Net { six, address, prefix: length, written: prefix.is_some() })
    }

    /// How many bits an address has.
    pub(super) fn bits(&self) -> u32 {
        if self.six { 128 } else { 32 }
    }

    /// The bits that are the host's, set.
    pub(super) fn host_mask(&self) -> u128 {
        match self.bits() - self.prefix {
            0 => 0,
            free => u128::MAX >> (128 - free),
        }
    }

    /// The network's own address.
    pub(super) fn first(&self) -> u128 {
        self.address & !self.host_mask()
    }

    /// The network's last address.
    pub(super) fn last(&self) -> u128 {
        self.address | self.host_mask()
    }

    /// How many addresses the network has, less one: so that all of IPv6 can be said.
    pub(super) fn span(&self) -> u128 {
        self.host_mask()
    }

    /// Whether another is inside.
    pub(super) fn has(&self, other: &Net) -> bool {
        self.six == other.six && self.first() <= other.first() && other.last() <= self.last()
    }

    /// The same network, seen from its first address.
    pub(super) fn network(&self) -> Net {
        Net { address: self.first(), written: true, ..*self }
    }

    /// An address of the same family, as text.
    pub(super) fn show(&self, address: u128) -> String {
        match u32::try_from(address) {
            Ok(four) if !self.six => Ipv4Addr::from(four).to_string(),
            _ => Ipv6Addr::from(address).to_string(),
        }
    }

    /// The address alone.
    pub(super) fn host(&self) -> String {
        self.show(self.address)
    }

    /// `address/prefix`.
    pub(super) fn cidr(&self) -> String {
        format!("{}/{}", self.host(), self.prefix)
    }

    /// As it was written: with its prefix if it had one.
    pub(super) fn text(&self) -> String {
        if self.written { self.cidr() } else { self.host() }
    }

    /// An IPv6 address in brackets, its prefix behind them.
    pub(super) fn wrapped(&self) -> String {
        match (self.six, self.written) {
            (false, _) => self.text(),
            (true, false) => format!("[{}]", self.host()),
            (true, true) => format!("[{}]/{}", self.host(), self.prefix),
        }
    }
}

fn mask_length(mask: &str, six: bool) -> Option<u32> {
    let bits = if six {
        u128::from(mask.parse::<Ipv6Addr>().ok()?)
    } else {
        u128::from(u32::from(mask.parse::<Ipv4Addr>().ok()?)) << 96
    };
    let length = bits.leading_ones();
    (bits.count_ones() == length).then_some(length)
}
