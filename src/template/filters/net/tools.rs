//! The filters of this family besides `ipaddr`: counting in networks, cutting and joining them.

use minijinja::State;
use minijinja::value::Value;

use super::address::Net;
use super::query::{hosts, place};
use crate::template::filters::python::{self, list};
use crate::template::filters::{Args, Outcome};

/// The network that an argument says.
fn net(args: &Args, name: &str) -> Outcome<Net> {
    Net::of(&args.value(name))
        .ok_or_else(|| args.fail(format!("'{}' is no address or network", args.text(name))))
}

/// A whole number that an argument says, also as text.
fn number(args: &Args, name: &str) -> Outcome<i128> {
    Ok(args.int(name)?.unwrap_or(0).into())
}

pub(super) fn nthhost(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let Some(net) = Net::of(&args.value("value")) else { return Ok(false.into()) };
    let address = place(&net, number(args, "query")?);
    Ok(address.map_or(Value::from(false), |it| net.show(it).into()))
}

pub(super) fn ipmath(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let net = net(args, "value")?;
    let all = if net.six { u128::MAX } else { u128::from(u32::MAX) };
    let amount = number(args, "amount")?;
    let address = net.address.checked_add_signed(amount).filter(|it| *it <= all);
    Ok(net.show(address.ok_or_else(|| args.fail("there is no such address"))?).into())
}

/// The network that is `place` networks of that prefix behind the first.
fn subnet(whole: &Net, prefix: u32, index: i128) -> Option<Net> {
    let part = Net { prefix, ..whole.network() };
    let last = (whole.last() - whole.first()) / (part.span().checked_add(1)?);
    let distance = index.unsigned_abs() - u128::from(index < 0);
    let at = if index < 0 { last.checked_sub(distance)? } else { distance };
    (at <= last).then(|| Net { address: part.first() + at * (part.span() + 1), ..part })
}

pub(super) fn ipsubnet(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let Some(net) = Net::of(&args.value("value")) else { return Ok(false.into()) };
    let query = args.text("query");
    if query.is_empty() {
        return Ok(net.network().cidr().into());
    }
    let Ok(prefix) = query.parse::<u32>() else {
        let whole =
            Net::parse(&query).ok_or_else(|| args.fail(format!("'{query}' is no network or prefix")))?;
        if !whole.has(&net) {
            return Err(args.fail(format!("{} is not in the subnet {}", net.text(), whole.cidr())));
        }
        let before = (net.first() - whole.first()).checked_div(net.span().saturating_add(1)).unwrap_or(0);
        return Ok((before + 1).to_string().into());
    };
    let index = if args.some("index").is_some() { Some(number(args, "index")?) } else { None };
    let invalid = || args.fail(format!("requested subnet size of {prefix} is invalid"));
    if prefix > net.bits() {
        return Err(invalid());
    }
    if net.written {
        if prefix < net.prefix {
            return Err(invalid());
        }
        return Ok(match index {
            None => match prefix - net.prefix {
                128 => "340282366920938463463374607431768211456".into(),
                free => (1u128 << free).to_string().into(),
            },
            Some(index) => subnet(&net, prefix, index).map_or(Value::from(false), |it| it.cidr().into()),
        });
    }
    // Of an address: the network around it, or one of those from that size down to two addresses.
    let around = |prefix: u32| Net { prefix, ..net }.network().cidr();
    let chosen = match index {
        None => Some(prefix),
        Some(index) => {
            let from = if index < 0 { i128::from(net.bits()) } else { i128::from(prefix) };
            u32::try_from(from + index).ok().filter(|it| (prefix..net.bits()).contains(it))
        }
    };
    Ok(chosen.map_or(Value::from(false), |prefix| around(prefix).into()))
}

pub(super) fn network_in_network(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    Ok(net(args, "value")?.has(&net(args, "test")?).into())
}

pub(super) fn network_in_usable(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let (whole, test) = (net(args, "value")?, net(args, "test")?);
    let range = hosts(&whole).unwrap_or((whole.first(), whole.last()));
    Ok((whole.six == test.six && range.0 <= test.first() && test.last() <= range.1).into())
}

pub(super) fn reduce_on_network(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let whole = net(args, "network")?;
    let value = args.value("value");
    let items = if python::is_list(&value) { args.items("value")? } else { vec![value] };
    Ok(list(items.into_iter().filter(|item| Net::of(item).is_some_and(|it| whole.has(&it))).collect()))
}

pub(super) fn cidr_merge(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let mut nets = Vec::new();
    for item in args.list("value")? {
        let net =
            Net::of(&item).ok_or_else(|| args.fail(format!("{} is no network", python::repr(&item))))?;
        nets.push(net.network());
    }
    nets.sort_by_key(|it| (it.six, it.first(), it.prefix));
    match args.str_or("action", "merge")? {
        "merge" => Ok(list(merge(&nets).iter().map(|it| it.cidr().into()).collect())),
        "span" => {
            let (Some(low), Some(high)) = (nets.first(), nets.iter().max_by_key(|it| it.last())) else {
                return Ok(Value::from(()));
            };
            if low.six != high.six {
                return Err(args.fail("IPv4 and IPv6 have no network in common"));
            }
            let mut around = *low;
            while !around.has(high) && around.prefix > 0 {
                around = Net { prefix: around.prefix - 1, ..around }.network();
            }
            Ok(around.cidr().into())
        }
        other => Err(args.fail(format!("'{other}' is no action: merge or span"))),
    }
}

/// Joins neighbours as long as two of them make a whole.
fn merge(sorted: &[Net]) -> Vec<Net> {
    let mut merged: Vec<Net> = Vec::new();
    for net in sorted {
        if merged.last().is_some_and(|last| last.has(net)) {
            continue;
        }
        merged.push(*net);
        while let [.., a, b] = merged.as_slice() {
            let whole = Net { prefix: a.prefix.saturating_sub(1), ..*a };
            let halves = a.prefix == b.prefix && a.prefix > 0 && a.six == b.six && whole.first() == a.first();
            if !halves || whole.last() != b.last() {
                break;
            }
            merged.truncate(merged.len() - 2);
            merged.push(whole);
        }
    }
    merged
}

/// A host some places before or behind, if the network has it.
pub(super) fn neighbour(args: &Args, direction: i128) -> Outcome {
    let net = net(args, "value")?;
    let address = net.address.checked_add_signed(number(args, "offset")? * direction);
    let inside = |it: &u128| hosts(&net).is_some_and(|(first, last)| (first..=last).contains(it));
    Ok(address.filter(inside).map(|it| net.show(it)).into())
}

pub(super) fn ip4_hex(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let net = net(args, "arg")?;
    let parts: Vec<String> =
        (0..4).rev().map(|at| format!("{:02x}", (net.address >> (8 * at)) & 255)).collect();
    Ok(parts.join(args.str_or("delimiter", "")?).into())
}
