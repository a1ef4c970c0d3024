//! An operator's own form: checked, and shown on a sample what it reads.

use std::{fs, path::Path};

use anyhow::Result;

use super::program;

const FORM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../samples/forms/installation_order.toml");
const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../samples/forms/installation_order.png");

#[tokio::test]
async fn a_form_of_the_operators_own_is_checked_and_read() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let form = folder.path().join("own.toml");
    fs::copy(FORM, &form)?;
    let (form, boxes) = (program::text(&form), folder.path().join("boxes.png"));

    let checked = program::succeed(&["forms", "check", form]).await?;
    let data = folder.path().join("data");
    let data = program::text(&data);
    program::succeed(&["--data", data, "init"]).await?;
    let shown =
        program::succeed(&["--data", data, "forms", "preview", form, SAMPLE, "--out", program::text(&boxes)])
            .await?;

    assert!(checked.contains("can be used"), "{checked}");
    for read in
        ["installation_order", "K20260900017", "欧阳淇", "11010519491231002X", "13812345678", "2026-09-14"]
    {
        assert!(shown.contains(read), "{read} is missing in:\n{shown}");
    }
    let (sample, drawn) = (image::open(SAMPLE)?.into_rgb8(), image::open(&boxes)?.into_rgb8());
    assert_eq!(sample.dimensions(), drawn.dimensions());
    assert_ne!(sample, drawn, "nothing was drawn");
    Ok(())
}

#[tokio::test]
async fn a_form_with_mistakes_is_refused_with_each_of_them() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("wrong.toml");
    let text = fs::read_to_string(FORM)?
        .replace("kind = \"phone\"", "kind = \"telephone\"")
        .replace("\"installation_order\"", "\"Installation Order\"");
    fs::write(&path, &text)?;
    let form = program::text(&path);

    let refused = program::run(&["forms", "check", form]).await?;
    fs::write(&path, text.replace("telephone", "phone"))?;
    let named = program::run(&["forms", "check", form]).await?;
    let unread = program::run(&["forms", "preview", form, SAMPLE]).await?;

    assert!(!refused.is_done && refused.text.contains("telephone"), "{}", refused.text);
    assert!(!named.is_done && named.text.contains("lower-case"), "{}", named.text);
    assert!(!unread.is_done && Path::new(SAMPLE).exists(), "{}", unread.text);
    Ok(())
}
