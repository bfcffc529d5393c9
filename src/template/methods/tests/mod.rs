//! Tables of methods and what Python 3.11 gives.

mod strings;
