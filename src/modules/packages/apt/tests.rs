//! Tests of `apt`.
