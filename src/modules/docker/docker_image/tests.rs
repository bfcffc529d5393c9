//! What `docker_image` decides and runs.

use super::Args;
use crate::modules::api::fake::FakeHost;
use crate::modules::api::{HostPath, Ran};
use crate::modules::docker::build::{LABEL, Recipe};

fn absent() -> Ran {
    Ran { rc: 1, stderr: b"Error: No such image: x".to_vec(), ..Ran::default() }
}

fn digest() -> String {
    let host = FakeHost::new().file("/srv/app/Dockerfile", "FROM x");
    let recipe = Recipe { path: Some(HostPath::new("/srv/app")), ..Recipe::default() };
    recipe.digest(&host, &recipe.context(&host).unwrap()).unwrap()
}

fn image(id: &str, digest: &str) -> String {
    format!(r#"[{{"Id": "{id}", "RepoTags": ["app:1"], "Config": {{"Labels": {{"{LABEL}": "{digest}"}}}}}}]"#)
}

fn host() -> FakeHost {
    FakeHost::new()
        .file("/srv/app/Dockerfile", "FROM x")
        .file("/srv/app.tar", "")
        .answer("docker image build --tag app:1", 0, "done")
        .answer("docker image pull", 0, "")
        .answer("docker image tag", 0, "")
        .answer("docker image rm", 0, "Untagged: app:1\n")
        .answer("docker image load", 0, "Loaded image: app:1\n")
        .answer("docker image save", 0, "")
        .answer("docker image push", 0, "1: digest: sha256:d size: 1\n")
        .answer("docker manifest inspect", 1, "")
        .answer("docker info", 0, "{}")
}

const BUILD: &str = "{name: app, tag: 1, source: build, build: {path: /srv/app}}";

#[test]
fn an_image_is_built_when_it_is_absent_or_its_recipe_changed() {
    let mut fresh = host()
        .answer_with("docker image inspect app:1", absent(), None)
        .answer_with("docker image inspect app:1", absent(), None)
        .answer_with("docker image inspect app:1", absent(), None)
        .answer("docker image inspect app:1", 0, &image("sha256:1", &digest()));
    let outcome = fresh.converge::<Args>(BUILD);
    assert_eq!(outcome.fields["image"].get("Id").unwrap().as_str(), Some("sha256:1"));
    assert_eq!(outcome.fields["stdout"].as_str(), Some("done"));
    assert_eq!(outcome.fields["actions"].to_string(), "['Built image app:1 from /srv/app']");

    let mut same = host().answer("docker image inspect app:1", 0, &image("sha256:1", &digest()));
    assert!(!same.play::<Args>(BUILD).unwrap().changed);
    let mut same = same.file("/srv/app/new", "");
    assert!(same.check::<Args>(BUILD).unwrap().changed);
    let more = BUILD.replace("/srv/app}", "/srv/app, args: {A: 1}}");
    let mut other = host().answer("docker image inspect app:1", 0, &image("sha256:1", &digest()));
    assert!(other.check::<Args>(&more).unwrap().changed);
    let again = BUILD.replace("{name", "{force_source: true, name");
    assert!(!other.check::<Args>(&again).unwrap().changed, "the same image comes of it");
    assert!(!other.play::<Args>(&again).unwrap().changed && other.ran.len() == 1);
}

#[test]
fn sources_are_used_when_they_are_needed() {
    for (args, ran) in [
        ("{name: app, tag: 1, source: pull}", "docker image pull app:1"),
        (
            "{name: app, tag: 1, source: pull, pull: {platform: arm64}}",
            "docker image pull --platform arm64 app:1",
        ),
        (
            "{name: app, tag: 1, source: load, load_path: /srv/app.tar}",
            "docker image load --input /srv/app.tar",
        ),
    ] {
        let mut fresh = host().answer_with("docker image inspect app:1", absent(), None).answer(
            "docker image inspect app:1",
            0,
            &image("sha256:1", ""),
        );
        assert!(fresh.play::<Args>(args).unwrap().changed, "{args}");
        assert_eq!(fresh.ran, [ran]);
        assert!(!fresh.play::<Args>(args).unwrap().changed, "{args}");
    }
    let missing = || host().answer_with("docker image inspect app:1", absent(), None);
    for (args, error) in [
        ("{name: 'app:1', source: local}", "Cannot find the image app:1 locally."),
        ("{name: 'app:1', source: build}", "build is required with `source: build`: it must have a path"),
        ("{name: 'app:1', source: load}", "load_path is required with `source: load`"),
        ("{name: 'app:1', source: load, load_path: /none}", "there is no archive /none"),
    ] {
        assert_eq!(missing().play::<Args>(args).unwrap_err().msg, error);
    }
    assert!(missing().play::<Args>("name: 'app:1'").is_err());
}

#[test]
fn names_archives_and_pushes_follow_the_image() {
    let there = || {
        host()
            .answer("docker image inspect app:1", 0, &image("sha256:1", ""))
            .answer("docker image inspect same:1", 0, &image("sha256:1", ""))
            .answer("docker image inspect other:1", 0, &image("sha256:2", ""))
            .answer("docker image inspect other:9", 0, &image("sha256:2", ""))
            .answer_with("docker image inspect new:1", absent(), None)
            .answer("tar -xOf /srv/app.tar", 0, r#"[{"Config": "1.json", "RepoTags": ["app:1"]}]"#)
    };
    for (args, ran) in [
        ("repository: same", vec![]),
        ("repository: new", vec!["docker image tag sha256:1 new:1"]),
        ("repository: other", vec![]),
        ("repository: 'other:9', force_tag: true", vec!["docker image tag sha256:1 other:9"]),
        ("archive_path: /srv/app.tar", vec![]),
        ("archive_path: /srv/new.tar", vec!["docker image save --output /srv/new.tar app:1"]),
        ("push: true", vec!["docker image push app:1"]),
        ("push: true, repository: new", vec!["docker image tag sha256:1 new:1", "docker image push new:1"]),
    ] {
        let args = format!("{{name: app, tag: 1, source: local, {args}}}");
        let mut host = there();
        assert_eq!(host.check::<Args>(&args).unwrap().changed, !ran.is_empty(), "{args}");
        assert_eq!(host.play::<Args>(&args).unwrap().changed, !ran.is_empty(), "{args}");
        assert_eq!(host.ran, ran, "{args}");
    }
}

#[test]
fn an_image_goes() {
    let mut host = host()
        .answer("docker image inspect app:1", 0, &image("sha256:1", ""))
        .answer("docker image inspect app:1", 0, &image("sha256:1", ""))
        .answer("docker image inspect app:1", 0, &image("sha256:1", ""))
        .answer_with("docker image inspect app:1", absent(), None);
    host.converge::<Args>("{name: app, tag: 1, state: absent, force_absent: true}");
    assert_eq!(host.ran, ["docker image rm --force app:1"]);
}
