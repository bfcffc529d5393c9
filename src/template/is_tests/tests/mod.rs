//! Tables of tests and what ansible-core 2.18 answers.

use crate::template::filters::tests::check;

mod kinds;
mod versions;
