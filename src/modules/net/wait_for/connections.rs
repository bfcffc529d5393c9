//! TCP connections as the kernel lists them in `/proc/net/tcp` and `tcp6`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, ToSocketAddrs};
use std::path::Path;

use super::Args;
use crate::modules::api::{Fail, Look};

/// The states by their numbers in the kernel's tables.
const STATES: [(&str, u8); 11] = [
    ("ESTABLISHED", 1),
    ("SYN_SENT", 2),
    ("SYN_RECV", 3),
    ("FIN_WAIT1", 4),
    ("FIN_WAIT2", 5),
    ("TIME_WAIT", 6),
    ("CLOSE", 7),
    ("CLOSE_WAIT", 8),
    ("LAST_ACK", 9),
    ("LISTEN", 10),
    ("CLOSING", 11),
];

pub(super) fn active_states() -> Vec<String> {
    let names = ["ESTABLISHED", "FIN_WAIT1", "FIN_WAIT2", "SYN_RECV", "SYN_SENT", "TIME_WAIT"];
    names.map(str::to_owned).into()
}

pub(super) fn check_states(names: &[String]) -> Result<(), Fail> {
    match names.iter().find(|name| number(name).is_none()) {
        Some(name) => Err(Fail::new(format!("unknown active_connection_state ({name}) defined"))),
        None => Ok(()),
    }
}

fn number(name: &str) -> Option<u8> {
    STATES.iter().find(|(own, _)| *own == name).map(|(_, number)| *number)
}

/// One connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Connection {
    local: (IpAddr, u16),
    remote: IpAddr,
    state: u8,
}

/// How many connections to the port are active.
pub(super) fn active(args: &Args, host: &dyn Look) -> Result<usize, Fail> {
    let own = addresses(&args.host)?;
    let mut excluded = Vec::new();
    for name in args.exclude_hosts.iter().flatten() {
        excluded.extend(addresses(name)?);
    }
    let states: Vec<_> = args.active_connection_states.iter().filter_map(|name| number(name)).collect();
    let table = |file: &str| {
        let bytes = host.read(Path::new(file)).ok().flatten().unwrap_or_default();
        parse(&String::from_utf8_lossy(&bytes))
    };
    let all = [table("/proc/net/tcp"), table("/proc/net/tcp6")].concat();
    let counts = |it: &&Connection| {
        Some(it.local.1) == args.port
            && states.contains(&it.state)
            && (own.iter().any(IpAddr::is_unspecified) || own.contains(&it.local.0))
            && !excluded.contains(&it.remote)
    };
    Ok(all.iter().filter(counts).count())
}

fn addresses(name: &str) -> Result<Vec<IpAddr>, Fail> {
    let found = (name, 0).to_socket_addrs();
    let found = found.map_err(|_| Fail::new(format!("the name {name} can't be resolved")))?;
    Ok(found.map(|at| at.ip().to_canonical()).collect())
}

fn parse(table: &str) -> Vec<Connection> {
    let lines = table.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
    lines
        .filter_map(|words| {
            let [_, local, remote, state, ..] = words[..] else { return None };
            let state = u8::from_str_radix(state, 16).ok()?;
            Some(Connection { local: end(local)?, remote: end(remote)?.0, state })
        })
        .collect()
}

/// `0100007F:1F90`: the address in words of the machine's byte order (little-endian on all we build for).
fn end(text: &str) -> Option<(IpAddr, u16)> {
    let (address, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let word = |text: &str| u32::from_str_radix(text, 16).ok();
    let ip = match address.len() {
        8 => IpAddr::V4(Ipv4Addr::from(word(address)?.swap_bytes())),
        32 => {
            let mut bytes = [0; 16];
            for (at, part) in bytes.chunks_mut(4).enumerate() {
                part.copy_from_slice(&word(address.get(at * 8..at * 8 + 8)?)?.swap_bytes().to_be_bytes());
            }
            IpAddr::V6(Ipv6Addr::from(bytes)).to_canonical()
        }
        _ => return None,
    };
    Some((ip, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_tables_are_read() {
        let table = "  sl  local_address rem_address   st tx_queue\n\
            \x20  0: 0100007F:1F90 0200000A:C350 01 00000000:00000000\n\
            \x20  1: 0000000000000000FFFF00000100007F:1F90 00000000000000000000000001000000:0001 0A 0\n  junk\n";
        let found = parse(table);
        assert_eq!(found[0].local, ("127.0.0.1".parse().unwrap(), 8080));
        assert_eq!((found[0].remote, found[0].state), ("10.0.0.2".parse().unwrap(), 1));
        assert_eq!(found[1].local.0, IpAddr::from([127, 0, 0, 1]));
        assert_eq!((found[1].remote, found[1].state), ("::1".parse().unwrap(), 10));
        assert_eq!(found.len(), 2);
    }
}
