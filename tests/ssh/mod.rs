//! Connections over SSH to real servers, and to hostile ones.

mod commands;
