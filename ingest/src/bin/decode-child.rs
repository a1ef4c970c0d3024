//! The decoder alone, for tests of this crate: the executable of the archive has it as a hidden subcommand.

fn main() -> std::process::ExitCode {
    ingest::decoder_main()
}
