use super::*;

#[test]
fn an_empty_file_is_refused() {
    let refusal = inspect(b"", &Limits::default()).unwrap_err();

    assert_eq!(refusal, Refusal::EmptyFile);
}
