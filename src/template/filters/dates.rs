//! Dates and times: `strftime` and `to_datetime` with Python's directives.

use std::fmt;
use std::sync::Arc;

use jiff::civil::{Date, DateTime, Time};
use jiff::fmt::strtime::{self, BrokenDownTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use minijinja::State;
use minijinja::value::{Object, ObjectRepr, Value, ValueKind, from_args};
use minijinja::{Error, ErrorKind};

use super::numbers::parse_float;
use super::python::{self, fail};
use super::{Args, Filter, Outcome, filter};

pub(super) const FILTERS: &[Filter] = &[
    filter("strftime", "string_format, second=, utc=", strftime, "the time, or another, in a format"),
    filter("to_datetime", "string, format=", to_datetime, "the date and time that a text says"),
];

/// The directives that depend on the locale, as the C locale writes them.
fn localize(format: &str) -> String {
    let mut out = String::new();
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        match (c, if c == '%' { chars.next() } else { None }) {
            ('%', Some('c')) => out.push_str("%a %b %e %H:%M:%S %Y"),
            ('%', Some('x')) => out.push_str("%m/%d/%y"),
            ('%', Some('X')) => out.push_str("%H:%M:%S"),
            ('%', Some('r')) => out.push_str("%I:%M:%S %p"),
            ('%', Some(other)) => out.extend(['%', other]),
            (c, _) => out.push(c),
        }
    }
    out
}

fn strftime(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let zone = if args.flag("utc", false) { TimeZone::UTC } else { TimeZone::system() };
    let time = match args.some("second") {
        None => Timestamp::now(),
        Some(second) => {
            let number = match second.kind() {
                ValueKind::String => parse_float(&args.text("second")),
                _ => python::as_float(second),
            };
            let bad = || args.fail(format!("{} is no number of seconds", python::repr(second)));
            let seconds = number.filter(|it| it.is_finite()).ok_or_else(bad)?;
            #[expect(
                clippy::cast_possible_truncation,
                reason = "the conversion saturates and the range is checked next"
            )]
            Timestamp::from_second(seconds.floor() as i64).map_err(|_| bad())?
        }
    };
    let time = Zoned::new(time, zone);
    strtime::format(localize(&args.text("string_format")), &time)
        .map(Value::from)
        .map_err(|error| args.fail(error.to_string()))
}

fn to_datetime(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let format = args.str_or("format", "%Y-%m-%d %H:%M:%S")?;
    let text = args.text("string");
    let bad =
        |error: jiff::Error| args.fail(format!("'{text}' does not match the format '{format}': {error}"));
    let parsed = BrokenDownTime::parse(localize(format), text.as_bytes()).map_err(bad)?;
    // What the format leaves out is Python's first day of 1900, midnight.
    let date = match (parsed.year(), parsed.month(), parsed.day()) {
        (None, _, _) | (_, None, None) if parsed.to_date().is_err() => {
            Date::new(parsed.year().unwrap_or(1900), parsed.month().unwrap_or(1), parsed.day().unwrap_or(1))
                .map_err(bad)?
        }
        _ => parsed.to_date().map_err(bad)?,
    };
    let time = parsed.to_time().unwrap_or(Time::midnight());
    Ok(Value::from_object(Moment(DateTime::from_parts(date, time))))
}

/// A date for templates.
pub(in crate::template) fn date(time: DateTime) -> Value {
    Value::from_object(Moment(time))
}

/// `left - right` where the left one is a date; none if it is not.
pub(in crate::template) fn date_minus(left: &Value, right: &Value) -> Option<Outcome> {
    let from = left.downcast_object_ref::<Moment>()?;
    let wrong = |error: String| fail(format!("the dates can't be subtracted: {error}"));
    if let Some(to) = right.downcast_object_ref::<Moment>() {
        let between = from.0.duration_since(to.0);
        return Some(Ok(Value::from_object(Between(between.as_micros()))));
    }
    let between = right.downcast_object_ref::<Between>()?;
    let micros = i64::try_from(between.0).map_err(|error| wrong(error.to_string()));
    Some(micros.and_then(|micros| {
        let earlier = from.0.checked_sub(jiff::SignedDuration::from_micros(micros));
        earlier.map(date).map_err(|error| wrong(error.to_string()))
    }))
}

const MICROS_A_DAY: i128 = 86_400_000_000;

/// Python's `timedelta`: the time between two dates in microseconds.
#[derive(Debug)]
struct Between(i128);

impl Between {
    fn days(&self) -> i128 {
        self.0.div_euclid(MICROS_A_DAY)
    }

    fn rest(&self) -> i128 {
        self.0.rem_euclid(MICROS_A_DAY)
    }
}

impl Object for Between {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let number = match key.as_str()? {
            "days" => self.days(),
            "seconds" => self.rest() / 1_000_000,
            "microseconds" => self.rest() % 1_000_000,
            _ => return None,
        };
        i64::try_from(number).ok().map(Value::from)
    }

    #[expect(clippy::cast_precision_loss, reason = "exact for the years that have a calendar")]
    fn call_method(
        self: &Arc<Self>,
        _: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        match method {
            "total_seconds" => {
                let () = from_args(args)?;
                Ok(Value::from(self.0 as f64 / 1e6))
            }
            _ => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.days() {
            0 => {}
            days @ (1 | -1) => write!(f, "{days} day, ")?,
            days => write!(f, "{days} days, ")?,
        }
        let (seconds, micros) = (self.rest() / 1_000_000, self.rest() % 1_000_000);
        write!(f, "{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)?;
        if micros == 0 { Ok(()) } else { write!(f, ".{micros:06}") }
    }
}

/// Python's `datetime` without a zone.
#[derive(Debug)]
struct Moment(DateTime);

impl Moment {
    fn microsecond(&self) -> i32 {
        self.0.subsec_nanosecond() / 1000
    }

    fn text(&self, between: char) -> String {
        let micro = match self.microsecond() {
            0 => String::new(),
            it => format!(".{it:06}"),
        };
        format!("{}{between}{}{micro}", self.0.strftime("%Y-%m-%d"), self.0.strftime("%H:%M:%S"))
    }

    fn format(&self, format: &str) -> Outcome {
        let format = localize(format).replace("%f", &format!("{:06}", self.microsecond()));
        strtime::format(format, self.0).map(Value::from).map_err(|error| fail(format!("strftime: {error}")))
    }

    /// Seconds since 1970, the moment taken as local time.
    #[expect(clippy::cast_precision_loss, reason = "exact for the years that have a calendar")]
    fn timestamp(&self) -> Outcome {
        let zoned =
            self.0.to_zoned(TimeZone::system()).map_err(|error| fail(format!("timestamp: {error}")))?;
        Ok((zoned.timestamp().as_microsecond() as f64 / 1e6).into())
    }
}

impl Object for Moment {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        Some(match key.as_str()? {
            "year" => self.0.year().into(),
            "month" => self.0.month().into(),
            "day" => self.0.day().into(),
            "hour" => self.0.hour().into(),
            "minute" => self.0.minute().into(),
            "second" => self.0.second().into(),
            "microsecond" => self.microsecond().into(),
            _ => return None,
        })
    }

    fn call_method(
        self: &Arc<Self>,
        _: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        match method {
            "strftime" => {
                let (format,): (&str,) = from_args(args)?;
                self.format(format)
            }
            "isoformat" => Ok(self.text('T').into()),
            "timestamp" => self.timestamp(),
            "weekday" => Ok(self.0.weekday().to_monday_zero_offset().into()),
            "isoweekday" => Ok(self.0.weekday().to_monday_one_offset().into()),
            _ => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(' '))
    }
}
