//! Limits that a user sets for what he starts, each alone, in steps over where something fails.

use crate::attack::Attack;
use crate::page;
use crate::site::words;

const TITLE: &str = "Limits";
const INTRODUCTION: &str = "\
The user sets a limit (`ulimit`, prlimit(1)), takes what there is of descriptors,
or gives the program the least of the processor.";

/// prlimit with each of the values.
fn limit(
    name: &'static str,
    values: impl Iterator<Item = u64>,
) -> impl Iterator<Item = Vec<String>> {
    values.map(move |value| words(&["prlimit", &format!("--{name}={value}")]))
}

#[test]
fn nobody_gets_in_by_a_limit() {
    let attacks = [
        Attack::around(
            "RLIMIT_AS, in steps of 16 KiB where the module begins to run",
            "as",
        ),
        Attack::around(
            "RLIMIT_DATA, in steps of 16 KiB where the module begins to run",
            "data",
        ),
        Attack::swept("RLIMIT_NOFILE, 0 to 24", limit("nofile", 0..=24)),
        Attack::swept(
            "all descriptors of 64 open but 0 to 20",
            (0..=20).map(|left| words(&["@", "fill", &left.to_string(), "--"])),
        ),
        Attack::swept("RLIMIT_NPROC, 0 to 3", limit("nproc", 0..=3)),
        Attack::swept(
            "RLIMIT_STACK, 16 KiB to 8 MiB",
            limit("stack", (14..=23).map(|power| 1 << power)),
        ),
        Attack::swept(
            "RLIMIT_FSIZE, 0 to 1 KiB",
            limit("fsize", [0, 1, 1024].into_iter()),
        ),
        Attack::swept("RLIMIT_CPU, 0 to 1 s", limit("cpu", 0..=1)),
        Attack::swept(
            "RLIMIT_MEMLOCK, 0 to 64 KiB",
            limit("memlock", [0, 4096, 65536].into_iter()),
        ),
        Attack::through(
            "every other limit at 0",
            &[
                "prlimit",
                "--core=0",
                "--locks=0",
                "--msgqueue=0",
                "--nice=0",
                "--rss=0",
                "--rtprio=0",
                "--rttime=0",
                "--sigpending=0",
            ],
        ),
        Attack::through(
            "a busy loop beside it, on one processor, at nice 19 and idle I/O",
            &[
                "taskset",
                "--cpu-list",
                "0",
                "@",
                "busy",
                "1",
                "--",
                "nice",
                "-n",
                "19",
                "ionice",
                "-c",
                "3",
            ],
        )
        .by_moment(),
        Attack::through("SCHED_IDLE", &["chrt", "--idle", "0"]).by_moment(),
    ];
    page::section(TITLE, INTRODUCTION, &attacks);
}
