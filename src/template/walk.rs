//! Walks over minijinja's syntax tree. `rewrite`, `check` and `culprit` use it.

use minijinja::machinery::ast::{Call, CallArg, Expr, Stmt};

/// The statements inside a statement.
pub(super) fn children<'s, 'a>(statement: &'s Stmt<'a>) -> Box<dyn Iterator<Item = &'s Stmt<'a>> + 's> {
    match statement {
        Stmt::Template(it) => Box::new(it.children.iter()),
        Stmt::ForLoop(it) => Box::new(it.body.iter().chain(&it.else_body)),
        Stmt::IfCond(it) => Box::new(it.true_body.iter().chain(&it.false_body)),
        Stmt::WithBlock(it) => Box::new(it.body.iter()),
        Stmt::SetBlock(it) => Box::new(it.body.iter()),
        Stmt::AutoEscape(it) => Box::new(it.body.iter()),
        Stmt::FilterBlock(it) => Box::new(it.body.iter()),
        Stmt::Block(it) => Box::new(it.body.iter()),
        Stmt::Macro(it) => Box::new(it.body.iter()),
        Stmt::CallBlock(it) => Box::new(it.macro_decl.body.iter()),
        _ => Box::new(std::iter::empty()),
    }
}

/// The expressions that stand directly in a statement, targets of assignments left out.
fn expressions<'s, 'a>(statement: &'s Stmt<'a>, visit: &mut dyn FnMut(&'s Expr<'a>)) {
    match statement {
        Stmt::EmitExpr(it) => visit(&it.expr),
        Stmt::ForLoop(it) => {
            visit(&it.iter);
            it.filter_expr.iter().for_each(visit);
        }
        Stmt::IfCond(it) => visit(&it.expr),
        Stmt::WithBlock(it) => it.assignments.iter().for_each(|(_, value)| visit(value)),
        Stmt::Set(it) => visit(&it.expr),
        Stmt::SetBlock(it) => it.filter.iter().for_each(visit),
        Stmt::AutoEscape(it) => visit(&it.enabled),
        Stmt::FilterBlock(it) => visit(&it.filter),
        Stmt::Macro(it) => it.defaults.iter().for_each(visit),
        Stmt::CallBlock(it) => call(&it.call, visit),
        Stmt::Do(it) => call(&it.call, visit),
        Stmt::Include(it) => visit(&it.name),
        Stmt::Extends(it) => visit(&it.name),
        Stmt::Import(it) => visit(&it.expr),
        Stmt::FromImport(it) => visit(&it.expr),
        _ => {}
    }
}

fn call<'s, 'a>(call: &'s Call<'a>, visit: &mut dyn FnMut(&'s Expr<'a>)) {
    visit(&call.expr);
    call.args.iter().for_each(|arg| visit(argument(arg)));
}

fn argument<'s, 'a>(arg: &'s CallArg<'a>) -> &'s Expr<'a> {
    match arg {
        CallArg::Pos(it) | CallArg::Kwarg(_, it) | CallArg::PosSplat(it) | CallArg::KwargSplat(it) => it,
    }
}

/// The expressions directly inside an expression, in the order of the text.
pub(super) fn parts<'s, 'a>(expr: &'s Expr<'a>, visit: &mut dyn FnMut(&'s Expr<'a>)) {
    match expr {
        Expr::Var(_) | Expr::Const(_) => {}
        Expr::Slice(it) => {
            visit(&it.expr);
            [&it.start, &it.stop, &it.step].into_iter().flatten().for_each(visit);
        }
        Expr::UnaryOp(it) => visit(&it.expr),
        Expr::BinOp(it) => {
            visit(&it.left);
            visit(&it.right);
        }
        Expr::Compare(it) => {
            visit(&it.expr);
            it.ops.iter().for_each(|op| visit(&op.expr));
        }
        Expr::IfExpr(it) => {
            visit(&it.true_expr);
            visit(&it.test_expr);
            it.false_expr.iter().for_each(visit);
        }
        Expr::Filter(it) => {
            it.expr.iter().for_each(&mut *visit);
            it.args.iter().for_each(|arg| visit(argument(arg)));
        }
        Expr::Test(it) => {
            visit(&it.expr);
            it.args.iter().for_each(|arg| visit(argument(arg)));
        }
        Expr::GetAttr(it) => visit(&it.expr),
        Expr::GetItem(it) => {
            visit(&it.expr);
            visit(&it.subscript_expr);
        }
        Expr::Call(it) => call(it, visit),
        Expr::List(it) => it.items.iter().for_each(visit),
        Expr::Tuple(it) => it.items.iter().for_each(visit),
        Expr::Map(it) => it.keys.iter().zip(&it.values).for_each(|(key, value)| {
            visit(key);
            visit(value);
        }),
    }
}

/// Visits all expressions of a template, the outer ones first.
pub(super) fn each_expression<'s, 'a>(statement: &'s Stmt<'a>, visit: &mut dyn FnMut(&'s Expr<'a>)) {
    expressions(statement, &mut |expr| each_part(expr, visit));
    children(statement).for_each(|child| each_expression(child, visit));
}

/// Visits an expression and all in it, the outer ones first.
pub(super) fn each_part<'s, 'a>(expr: &'s Expr<'a>, visit: &mut dyn FnMut(&'s Expr<'a>)) {
    visit(expr);
    parts(expr, &mut |part| each_part(part, visit));
}

/// Visits the calls that are statements (`do`, `call`), which are no expressions to the parser.
pub(super) fn each_call<'s, 'a>(statement: &'s Stmt<'a>, visit: &mut dyn FnMut(&'s Call<'a>)) {
    match statement {
        Stmt::Do(it) => visit(&it.call),
        Stmt::CallBlock(it) => visit(&it.call),
        _ => {}
    }
    children(statement).for_each(|child| each_call(child, visit));
}
