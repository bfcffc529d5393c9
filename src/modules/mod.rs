//! The modules: what runs on hosts. One file a module, one line here; see `api` for the shape of one.

pub mod api;
#[cfg(all(test, feature = "controller"))]
#[expect(clippy::panic, reason = "tests alone")]
mod contract;
pub mod custom;
pub(crate) mod http;
pub(crate) mod kubectl;
pub(crate) mod mysql;
pub(crate) mod openpgp;
pub(crate) mod programs;

use api::{Entry, Execution};

/// Declares the families' modules and the registry. A module's struct is `family::name::Args`. What stands behind `with`
/// are pieces that a family's modules share.
macro_rules! modules {
    ($( $family:ident $(with [$($part:ident),*])? { $( $name:ident : $execution:ident as [$($alias:literal),*], )* } )*) => {
        $( #[doc = concat!("The family `", stringify!($family), "`.")] pub mod $family {
            $( $( pub(crate) mod $part; )* )?
            $( pub mod $name; )*
        } )*
        /// Every module, in the order of the families.
        pub static ALL: &[Entry] = &[ $( $( modules!(@entry $family $name $execution [$($alias),*]), )* )* ];
    };
    (@entry $family:ident $name:ident Controller [$($alias:literal),*]) => {
        Entry::control::<$family::$name::Args>(stringify!($name), stringify!($family), &[$($alias),*])
    };
    (@entry $family:ident $name:ident $execution:ident [$($alias:literal),*]) => {
        Entry::of::<$family::$name::Args>(stringify!($name), stringify!($family), &[$($alias),*], Execution::$execution)
    };
}

// `cargo fmt` does not follow modules that a macro declares: the README's test command formats all tracked files.
modules! {
    commands {
        command: Host as ["ansible.builtin.command"],
        raw: Controller as ["ansible.builtin.raw"],
        script: Both as ["ansible.builtin.script"],
        shell: Host as ["ansible.builtin.shell"],
    }
    control {
        add_host: Controller as ["ansible.builtin.add_host"],
        assert: Controller as ["ansible.builtin.assert"],
        debug: Controller as ["ansible.builtin.debug"],
        fail: Controller as ["ansible.builtin.fail"],
        group_by: Controller as ["ansible.builtin.group_by"],
        import_playbook: Controller as ["ansible.builtin.import_playbook"],
        import_role: Controller as ["ansible.builtin.import_role"],
        import_tasks: Controller as ["ansible.builtin.import_tasks"],
        include_role: Controller as ["ansible.builtin.include_role"],
        include_tasks: Controller as ["ansible.builtin.include_tasks"],
        include_vars: Controller as ["ansible.builtin.include_vars"],
        meta: Controller as ["ansible.builtin.meta"],
        pause: Controller as ["ansible.builtin.pause"],
        reboot: Controller as ["ansible.builtin.reboot"],
        set_fact: Controller as ["ansible.builtin.set_fact"],
        set_stats: Controller as ["ansible.builtin.set_stats"],
        wait_for_connection: Controller as ["ansible.builtin.wait_for_connection"],
        validate_argument_spec: Controller as ["ansible.builtin.validate_argument_spec"],
        async_status: Host as ["ansible.builtin.async_status"],
    }
    database {
        mysql_db: Host as ["community.mysql.mysql_db"],
        mysql_query: Host as ["community.mysql.mysql_query"],
        mysql_user: Host as ["community.mysql.mysql_user"],
    }
    docker with [archive, build, context, engine, filters, ignore, image, pairs, reference, remote] {
        docker_build: Host as [],
        docker_container: Host as ["community.docker.docker_container", "community.general.docker_container"],
        docker_container_exec: Host as ["community.docker.docker_container_exec"],
        docker_container_info: Host as ["community.docker.docker_container_info"],
        docker_host_info: Host as ["community.docker.docker_host_info"],
        docker_image: Host as ["community.docker.docker_image", "community.general.docker_image"],
        docker_image_build: Host as ["community.docker.docker_image_build"],
        docker_image_export: Host as ["community.docker.docker_image_export"],
        docker_image_info: Host as ["community.docker.docker_image_info"],
        docker_image_load: Host as ["community.docker.docker_image_load"],
        docker_image_pull: Host as ["community.docker.docker_image_pull"],
        docker_image_push: Host as ["community.docker.docker_image_push"],
        docker_image_remove: Host as ["community.docker.docker_image_remove"],
        docker_image_tag: Host as ["community.docker.docker_image_tag"],
        docker_login: Host as ["community.docker.docker_login"],
        docker_network: Host as ["community.docker.docker_network"],
        docker_network_info: Host as ["community.docker.docker_network_info"],
        docker_prune: Host as ["community.docker.docker_prune"],
        docker_push: Host as [],
        docker_volume: Host as ["community.docker.docker_volume"],
        docker_volume_info: Host as ["community.docker.docker_volume_info"],
    }
    files {
        assemble: Both as ["ansible.builtin.assemble"],
        blockinfile: Host as ["ansible.builtin.blockinfile"],
        copy: Both as ["ansible.builtin.copy"],
        fetch: Both as ["ansible.builtin.fetch"],
        file: Host as ["ansible.builtin.file"],
        find: Host as ["ansible.builtin.find"],
        ini_file: Host as ["community.general.ini_file"],
        lineinfile: Host as ["ansible.builtin.lineinfile"],
        replace: Host as ["ansible.builtin.replace"],
        slurp: Host as ["ansible.builtin.slurp"],
        stat: Host as ["ansible.builtin.stat"],
        tempfile: Host as ["ansible.builtin.tempfile"],
        template: Both as ["ansible.builtin.template"],
        unarchive: Both as ["ansible.builtin.unarchive"],
    }
    kubernetes {
        k8s: Both as ["kubernetes.core.k8s", "community.kubernetes.k8s", "community.okd.k8s"],
        k8s_apply: Both as [],
        k8s_cluster_info: Host as ["kubernetes.core.k8s_cluster_info"],
        k8s_deploy: Host as [],
        k8s_drain: Host as ["kubernetes.core.k8s_drain"],
        k8s_exec: Host as ["kubernetes.core.k8s_exec", "community.kubernetes.k8s_exec"],
        k8s_info: Host as ["kubernetes.core.k8s_info", "community.kubernetes.k8s_info"],
        k8s_json_patch: Host as ["kubernetes.core.k8s_json_patch"],
        k8s_log: Host as ["kubernetes.core.k8s_log", "community.kubernetes.k8s_log"],
        k8s_rollback: Host as ["kubernetes.core.k8s_rollback"],
        k8s_scale: Both as ["kubernetes.core.k8s_scale", "community.kubernetes.k8s_scale"],
        k8s_service: Host as ["kubernetes.core.k8s_service", "community.kubernetes.k8s_service"],
        k8s_taint: Host as ["kubernetes.core.k8s_taint"],
        kubeadm: Host as [],
    }
    net {
        get_url: Host as ["ansible.builtin.get_url"],
        uri: Both as ["ansible.builtin.uri"],
        iptables: Host as ["ansible.builtin.iptables"],
        ufw: Host as ["community.general.ufw"],
        wait_for: Host as ["ansible.builtin.wait_for"],
    }
    packages {
        apk: Host as ["community.general.apk"],
        apt: Host as ["ansible.builtin.apt"],
        apt_key: Host as ["ansible.builtin.apt_key"],
        apt_repository: Host as ["ansible.builtin.apt_repository"],
        debconf: Host as ["ansible.builtin.debconf"],
        deb822_repository: Host as ["ansible.builtin.deb822_repository"],
        dnf: Host as ["ansible.builtin.dnf", "ansible.builtin.dnf5", "ansible.builtin.yum"],
        dpkg_selections: Host as ["ansible.builtin.dpkg_selections"],
        package: Host as ["ansible.builtin.package"],
        package_facts: Host as ["ansible.builtin.package_facts"],
        pip: Host as ["ansible.builtin.pip"],
        pacman: Host as ["community.general.pacman"],
        rpm_key: Host as ["ansible.builtin.rpm_key"],
        yum_repository: Host as ["ansible.builtin.yum_repository"],
        zypper: Host as ["community.general.zypper"],
    }
    services {
        service: Host as ["ansible.builtin.service"],
        service_facts: Host as ["ansible.builtin.service_facts"],
        systemd: Host as ["ansible.builtin.systemd", "ansible.builtin.systemd_service"],
    }
    source {
        git: Host as ["ansible.builtin.git"],
    }
    system {
        ping: Host as ["ansible.builtin.ping"],
        alternatives: Host as ["community.general.alternatives"],
        authorized_key: Host as ["ansible.posix.authorized_key"],
        cron: Host as ["ansible.builtin.cron"],
        getent: Host as ["ansible.builtin.getent"],
        group: Host as ["ansible.builtin.group"],
        hostname: Host as ["ansible.builtin.hostname"],
        seboolean: Host as ["ansible.posix.seboolean"],
        selinux: Host as ["ansible.posix.selinux"],
        seport: Host as ["community.general.seport"],
        locale_gen: Host as ["community.general.locale_gen"],
        known_hosts: Host as ["ansible.builtin.known_hosts"],
        modprobe: Host as ["community.general.modprobe"],
        mount: Host as ["ansible.posix.mount"],
        pam_limits: Host as ["community.general.pam_limits"],
        setup: Host as ["ansible.builtin.setup", "ansible.builtin.gather_facts"],
        timezone: Host as ["community.general.timezone"],
        sysctl: Host as ["ansible.posix.sysctl"],
        user: Host as ["ansible.builtin.user"],
    }
}

/// The module of a name: short (`file`), full (`ansible.builtin.file`) or an alias.
#[must_use]
pub fn find(name: &str) -> Option<&'static Entry> {
    let name = name
        .strip_prefix("ansible.legacy.")
        .or_else(|| name.strip_prefix("ansible.builtin."))
        .unwrap_or(name);
    ALL.iter().find(|entry| {
        entry.name == name
            || entry
                .aliases
                .iter()
                .any(|alias| *alias == name || alias.strip_prefix("ansible.builtin.") == Some(name))
    })
}
