//! A JUnit report: a suite a play, a case a task and host. For CI systems.

use std::path::PathBuf;
use std::sync::Arc;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::diag::{Sources, render};
use crate::event::{Event, HostResult, Sink, Status};

/// Writes the report to a file when the run is over.
pub struct Junit {
    path: PathBuf,
    sources: Arc<Sources>,
    report: Report,
    suite: Option<TestSuite>,
}

impl Junit {
    /// For this file; its folder must be there.
    #[must_use]
    pub fn new(path: PathBuf, sources: Arc<Sources>) -> Junit {
        Junit { path, sources, report: Report::new("regatta"), suite: None }
    }

    fn case(&self, result: &HostResult) -> TestCase {
        let msg = result.fields.get("msg").map(ToString::to_string).unwrap_or_default();
        let status = match result.status {
            Status::Failed | Status::Unreachable if !result.ignored => {
                let kind = if result.status == Status::Failed {
                    NonSuccessKind::Failure
                } else {
                    NonSuccessKind::Error
                };
                let mut status = TestCaseStatus::non_success(kind);
                status.set_message(&msg);
                let place =
                    result.diagnostic.as_ref().map(|diagnostic| render(diagnostic, &self.sources, false));
                status.set_description(place.unwrap_or(msg));
                status
            }
            Status::Skipped => TestCaseStatus::skipped(),
            _ => TestCaseStatus::success(),
        };
        let mut case = TestCase::new(format!("[{}] {}", result.host, result.task.name), status);
        let place = self.sources.position(result.task.span);
        case.set_classname(format!("{}:{}", place.path.display(), place.line));
        case.set_time(result.took);
        case
    }
}

impl Sink for Junit {
    fn event(&mut self, event: &Event) {
        match event {
            Event::PlayStart { name, .. } => {
                let suite = TestSuite::new(name.to_string());
                if let Some(done) = self.suite.replace(suite) {
                    self.report.add_test_suite(done);
                }
            }
            Event::Result(result) => {
                let case = self.case(result);
                if let Some(suite) = &mut self.suite {
                    suite.add_test_case(case);
                }
            }
            Event::Recap(recap) => {
                if let Some(done) = self.suite.take() {
                    self.report.add_test_suite(done);
                }
                self.report.set_time(recap.took);
                let text = self.report.to_string().unwrap_or_default();
                // The exit code of the run says more than a report that could not be written.
                let _ = std::fs::write(&self.path, text);
            }
            _ => {}
        }
    }
}
