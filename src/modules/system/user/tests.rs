//! Tests of `user`.
