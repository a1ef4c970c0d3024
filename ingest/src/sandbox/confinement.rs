//! What the decoder process gives up before it looks at untrusted bytes.

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetStatus, Scope,
};
use nix::sys::resource::{Resource, setrlimit};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};

use super::protocol::Confinement;
use crate::limits::Limits;

/// Gives up files, network, processes and most system calls, for good.
pub fn confine(limits: &Limits) -> Result<(), Confinement> {
    limit_resources(limits).map_err(|_| Confinement::Rlimit)?;
    close_file_system().ok_or(Confinement::Landlock)?;
    // Only now, because the file system rules themselves are handed over through a descriptor.
    setrlimit(Resource::RLIMIT_NOFILE, 0, 0).map_err(|_| Confinement::Rlimit)?;
    filter_system_calls().ok_or(Confinement::Seccomp)
}

/// Sets only what every Unix has; the rest may be missing where the operator allows it.
pub fn limit_resources(limits: &Limits) -> nix::Result<()> {
    let memory = limits.max_child_memory_bytes;
    setrlimit(Resource::RLIMIT_AS, memory, memory)?;
    setrlimit(Resource::RLIMIT_CPU, limits.max_cpu_seconds, limits.max_cpu_seconds + 1)?;
    setrlimit(Resource::RLIMIT_FSIZE, 0, 0)?;
    setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
    setrlimit(Resource::RLIMIT_NPROC, 0, 0)
}

/// No path may be opened any more; what is already open stays open.
fn close_file_system() -> Option<()> {
    let newest = ABI::V6;
    // The first version is demanded; later rights are taken where the kernel knows them.
    let ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(ABI::V1))
        .ok()?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(newest))
        .ok()?
        .handle_access(AccessNet::from_all(newest))
        .ok()?
        .scope(Scope::from_all(newest))
        .ok()?;
    let status = ruleset.create().ok()?.restrict_self().ok()?;
    (status.ruleset != RulesetStatus::NotEnforced).then_some(())
}

/// Memory, pipes that are open, the clock, and an orderly or disorderly end; anything else ends the process.
fn filter_system_calls() -> Option<()> {
    let mut rules = std::collections::BTreeMap::new();
    for number in allowed_calls() {
        rules.insert(number, Vec::new());
    }
    // Memory may be had, but never such as can be executed.
    for number in [libc::SYS_mmap, libc::SYS_mprotect] {
        let not_executable = SeccompCondition::new(
            2,
            SeccompCmpArgLen::Dword,
            SeccompCmpOp::MaskedEq(libc::PROT_EXEC as u64),
            0,
        );
        rules.insert(number, vec![SeccompRule::new(vec![not_executable.ok()?]).ok()?]);
    }
    // A process that aborts signals itself, and no one else.
    let own_id = u64::from(std::process::id());
    let itself = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, own_id).ok()?;
    rules.insert(libc::SYS_tgkill, vec![SeccompRule::new(vec![itself]).ok()?]);
    // The standard library of a debug build asks whether a descriptor is open before it closes it.
    let asks_only =
        SeccompCondition::new(1, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, libc::F_GETFD as u64).ok()?;
    rules.insert(libc::SYS_fcntl, vec![SeccompRule::new(vec![asks_only]).ok()?]);
    let architecture = std::env::consts::ARCH.try_into().ok()?;
    let filter =
        SeccompFilter::new(rules, SeccompAction::KillProcess, SeccompAction::Allow, architecture).ok()?;
    let program: BpfProgram = filter.try_into().ok()?;
    seccompiler::apply_filter_all_threads(&program).ok()
}

fn allowed_calls() -> Vec<i64> {
    vec![
        libc::SYS_read,
        libc::SYS_readv,
        libc::SYS_write,
        libc::SYS_writev,
        libc::SYS_lseek,
        libc::SYS_fstat,
        libc::SYS_close,
        libc::SYS_munmap,
        libc::SYS_mremap,
        libc::SYS_madvise,
        libc::SYS_brk,
        libc::SYS_futex,
        libc::SYS_sched_yield,
        libc::SYS_clock_gettime,
        libc::SYS_clock_nanosleep,
        libc::SYS_nanosleep,
        libc::SYS_getrandom,
        libc::SYS_rt_sigaction,
        libc::SYS_rt_sigprocmask,
        libc::SYS_rt_sigreturn,
        libc::SYS_sigaltstack,
        libc::SYS_restart_syscall,
        libc::SYS_getpid,
        libc::SYS_gettid,
        libc::SYS_exit,
        libc::SYS_exit_group,
    ]
}
