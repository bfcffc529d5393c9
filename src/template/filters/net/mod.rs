//! Filters about IP addresses and networks, as the collection ansible.utils has them.

mod address;
mod hardware;
mod query;
mod tools;

use minijinja::State;
use minijinja::value::{Value, ValueKind};

use super::python::{self, list};
use super::{Args, Filter, Outcome, filter};

use address::Net;

const HARDWARE: &str = "value, query=, alias=";
const QUERY: &str = "value, query=, version=, alias=";

pub(super) const FILTERS: &[Filter] = &[
    filter(
        "ipaddr",
        QUERY,
        |_, a| each(a, None),
        "an address or network, or what is asked of it; false if it is none",
    ),
    filter("ipv4", QUERY, |_, a| each(a, Some(false)), "as ipaddr, IPv4 only"),
    filter("ipv6", QUERY, |_, a| each(a, Some(true)), "as ipaddr, IPv6 only"),
    filter("ipwrap", "value, query=", ipwrap, "IPv6 addresses in brackets, anything else as it is"),
    filter("nthhost", "value, query=", tools::nthhost, "the address at a place in a network"),
    filter("ipmath", "value, amount", tools::ipmath, "the address some places further"),
    filter(
        "ipsubnet",
        "value, query=, index=",
        tools::ipsubnet,
        "a subnet of a network, or how many there are",
    ),
    filter("network_in_network", "value, test", tools::network_in_network, "whether a network has another"),
    filter(
        "network_in_usable",
        "value, test",
        tools::network_in_usable,
        "as network_in_network, for its hosts",
    ),
    filter("reduce_on_network", "value, network", tools::reduce_on_network, "those that are in a network"),
    filter("cidr_merge", "value, action=", tools::cidr_merge, "the fewest networks that cover the same"),
    filter("next_nth_usable", "value, offset", |_, a| tools::neighbour(a, 1), "a later host of the network"),
    filter(
        "previous_nth_usable",
        "value, offset",
        |_, a| tools::neighbour(a, -1),
        "an earlier host of the network",
    ),
    filter("hwaddr", HARDWARE, |_, a| hardware::answer(a, "hwaddr"), "a MAC address, or in another notation"),
    filter(
        "macaddr",
        HARDWARE,
        |_, a| hardware::answer(a, "macaddr"),
        "a MAC address, or in another notation",
    ),
    filter("ip4_hex", "arg, delimiter=", tools::ip4_hex, "an IPv4 address in hexadecimal"),
];

/// Asks of one value, or of each of a list; those without an answer drop out of a list.
fn each(args: &Args, six: Option<bool>) -> Outcome {
    let value = args.value("value");
    if python::is_list(&value) {
        let answers: Vec<Value> =
            args.items("value")?.iter().map(|item| one(args, item, six)).collect::<Outcome<_>>()?;
        return Ok(list(
            answers
                .into_iter()
                .filter(|it| it.is_true() || python::as_int(it) == Some(0) && it.is_integer())
                .collect(),
        ));
    }
    one(args, &value, six)
}

fn one(args: &Args, value: &Value, six: Option<bool>) -> Outcome {
    if !matches!(value.kind(), ValueKind::String | ValueKind::Number | ValueKind::Bool) {
        return Err(args.fail(format!("takes addresses, not '{}'", python::type_name(value))));
    }
    let found = Net::of(value).filter(|net| six.is_none_or(|six| net.six == six));
    let Some(net) = found else { return Ok(false.into()) };
    query::answer(args, &net, args.get("query").unwrap_or(&Value::from("")))
}

fn ipwrap(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let wrap = |value: &Value| match Net::of(value) {
        Some(net) if net.six && value.kind() == ValueKind::String => net.wrapped().into(),
        _ => value.clone(),
    };
    let value = args.value("value");
    match value.kind() {
        ValueKind::String => Ok(wrap(&value)),
        _ if python::is_list(&value) => Ok(args.items("value")?.iter().map(wrap).collect()),
        _ => Err(args.fail(format!("takes addresses, not '{}'", python::type_name(&value)))),
    }
}
