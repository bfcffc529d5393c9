//! Tables of expressions and what Python with ansible-core 2.18 prints for their values.

use minijinja::Environment;

use super::python::repr;

mod comment;
mod community;
mod encode;
mod json;
mod markup;
mod net;
mod net_queries;
mod numbers;
mod path;
mod random;
mod regex;
mod registry;
mod sequences;
mod shape;
mod text;
mod vault;
mod yaml;
mod yaml_scalars;

pub(crate) fn check(table: &[(&str, &str)]) {
    let mut env = Environment::new();
    super::register(&mut env);
    crate::template::is_tests::register(&mut env);
    env.set_unknown_method_callback(crate::template::methods::call);
    let mut wrong = String::new();
    for (expression, expected) in table {
        let found = env.compile_expression(expression).and_then(|it| it.eval(()));
        let shown = found.as_ref().map_or("!".into(), repr);
        if shown != *expected {
            wrong += &format!("{expression}\n   gives {shown}\n   not   {expected}\n");
            if let Err(error) = &found {
                wrong += &format!("   {error}\n");
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}
