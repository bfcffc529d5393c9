//! Chance. With a seed it is CPython's: the Mersenne Twister seeded and drawn from as `random.Random(seed)` does, bit
//! for bit, because roles rely on "random" minutes that stay the same.

use minijinja::State;
use minijinja::value::{Value, ValueKind};
use rand_mt::Mt;

use super::python::{self, list};
use super::{Args, Filter, Outcome, filter};

pub(super) const FILTERS: &[Filter] = &[
    filter(
        "random",
        "end, start=, step=, seed=",
        random,
        "an item of a list, or a whole number below another",
    ),
    filter("shuffle", "mylist, seed=", shuffle, "the items in a random order"),
];

/// CPython's `random.Random`.
struct Random(Mt);

impl Random {
    /// Seeded by a text or a whole number as in Python; from the system where there is no seed.
    fn new(args: &Args) -> Outcome<Random> {
        let Some(seed) = args.some("seed") else {
            return Ok(Random(Mt::new_with_key(rand::random::<[u32; 8]>())));
        };
        match (seed.kind(), python::as_int(seed), python::as_float(seed)) {
            (ValueKind::String | ValueKind::Bytes, ..) => {
                Ok(Random::from_bytes(seed.as_bytes().unwrap_or_default()))
            }
            (_, Some(number), _) => Ok(Random::from_big_endian(&number.unsigned_abs().to_be_bytes())),
            // The hash of a float without a fraction is the number itself.
            #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
            (_, _, Some(it)) if it.fract() == 0.0 && it.abs() < 2e18 => {
                Ok(Random::from_big_endian(&(it as i64).unsigned_abs().to_be_bytes()))
            }
            _ => {
                Err(args
                    .fail(format!("the seed must be a string or a whole number, not {}", python::repr(seed))))
            }
        }
    }

    fn from_bytes(seed: &[u8]) -> Random {
        let hash = super::encode::digest("sha512", seed).unwrap_or_default();
        Random::from_big_endian(&[seed, hash.as_slice()].concat())
    }

    /// The number's 32-bit digits, lowest first, without leading zeros, are the generator's key.
    fn from_big_endian(number: &[u8]) -> Random {
        let mut key: Vec<u32> = number
            .rchunks(4)
            .map(|chunk| chunk.iter().fold(0, |digit, byte| digit << 8 | u32::from(*byte)))
            .collect();
        while key.len() > 1 && key.last() == Some(&0) {
            key.pop();
        }
        Random(Mt::new_with_key(key))
    }

    /// `getrandbits`, up to 128.
    fn bits(&mut self, count: u32) -> u128 {
        let (mut number, mut have) = (0, 0);
        while have < count {
            let missing = (count - have).min(32);
            number |= u128::from(self.0.next_u32() >> (32 - missing)) << have;
            have += missing;
        }
        number
    }

    /// `_randbelow`: draws until a number fits.
    fn below(&mut self, limit: u128) -> u128 {
        let count = u128::BITS - limit.leading_zeros();
        loop {
            let number = self.bits(count);
            if number < limit || limit == 0 {
                return number;
            }
        }
    }

    fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u128)).unwrap_or(0)
    }
}

fn random(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let mut random = Random::new(args)?;
    let end = args.value("end");
    if let Some(end) = python::as_int(&end) {
        return range(args, &mut random, end);
    }
    if args.some("start").is_some_and(Value::is_true) || args.some("step").is_some_and(Value::is_true) {
        return Err(args.fail("start and step can only be used with numbers"));
    }
    if !python::is_list(&end) && end.kind() != ValueKind::String {
        return Err(args.fail(format!("expects a list or a number, not '{}'", python::type_name(&end))));
    }
    let mut items = args.items("end")?;
    if items.is_empty() {
        return Err(args.fail("the list is empty"));
    }
    Ok(items.swap_remove(random.index(items.len())))
}

/// `randrange(start, end, step)`.
fn range(args: &Args, random: &mut Random, end: i128) -> Outcome {
    let (start, step) =
        (i128::from(args.int("start")?.unwrap_or(0)), i128::from(args.int("step")?.unwrap_or(1)));
    let step = if step == 0 { 1 } else { step };
    let span = end.saturating_sub(start).saturating_add(step - step.signum());
    let count = span.checked_div(step).unwrap_or(0);
    match u128::try_from(count) {
        Ok(count) if count > 0 => {
            Ok(python::int(start + step * i128::try_from(random.below(count)).unwrap_or(0)))
        }
        _ => Err(args.fail(format!("the range from {start} to {end} is empty"))),
    }
}

/// A whole number from `low` to `high`, drawn as `Random.randint` does.
///
/// # Errors
/// If the seed is neither a text nor a number.
pub(super) fn integer(args: &Args, low: u128, high: u128) -> Outcome<u128> {
    Ok(low + Random::new(args)?.below(high - low + 1))
}

fn shuffle(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let mut random = match args.some("seed") {
        Some(seed) if !seed.is_true() => Random(Mt::new_with_key(rand::random::<[u32; 8]>())),
        _ => Random::new(args)?,
    };
    let mut items = args.items("mylist")?;
    for last in (1..items.len()).rev() {
        let chosen = random.index(last + 1);
        items.swap(last, chosen);
    }
    Ok(list(items))
}
