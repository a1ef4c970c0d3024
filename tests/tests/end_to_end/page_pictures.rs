//! A page on the screen: upright, under a watermark, without what the file said of itself, clear for whose task it is.

use std::io::Cursor;

use archive_tests::{
    client::{ApiClient, OutgoingFile, Upload},
    entries::{self, Entry},
    server::Setup,
};
use image::{DynamicImage, GrayImage, ImageFormat, Luma};
use reqwest::Method;

const OUTLET: &str = "TJHX0101";

/// A photograph lying on its side: dark bars along its short edge, and a note that says which way up it is.
fn turned_photograph() -> OutgoingFile {
    let stripes = GrayImage::from_fn(640, 400, |x, _| Luma([if x % 16 < 8 { 20 } else { 235 }]));
    let mut plain = Cursor::new(Vec::new());
    DynamicImage::ImageLuma8(stripes).write_to(&mut plain, ImageFormat::Jpeg).unwrap();
    let plain = plain.into_inner();
    // TIFF, little-endian, one entry: Orientation (0x0112), SHORT, 6 = turn a quarter clockwise.
    let mut exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0".to_vec();
    let length = u16::try_from(exif.len() + 2).unwrap();
    let mut bytes = plain[..2].to_vec();
    bytes.extend([0xff, 0xe1]);
    bytes.extend(length.to_be_bytes());
    bytes.append(&mut exif);
    bytes.extend(&plain[2..]);
    OutgoingFile::new("photograph.jpg", bytes)
}

async fn picture(client: &ApiClient, page_id: &str, max_side: u32) -> Vec<u8> {
    let path =
        format!("/api/v1/pages/{page_id}/image?reason=a%20question%20of%20the%20court&max_side={max_side}");
    let answer = client.request(Method::GET, &path).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    assert_eq!(answer.headers()["content-type"], "image/jpeg");
    assert_eq!(answer.headers()["cache-control"], "no-store");
    answer.bytes().await.unwrap().to_vec()
}

/// The largest difference between neighbours in the middle of the picture, where no watermark ends.
fn contrast(jpeg: &[u8]) -> u8 {
    let picture = image::load_from_memory(jpeg).unwrap().into_luma8();
    let column = picture.width() / 2;
    let shades: Vec<u8> = (0..picture.height()).map(|y| picture.get_pixel(column, y).0[0]).collect();
    shades.windows(5).map(|near| near[0].abs_diff(near[4])).max().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_shown_upright_and_every_look_is_on_record() {
    let server = Setup::for_drills().start().await.unwrap();
    let clerk = server.account("clerk", "C1", &["--outlet", OUTLET]).await.unwrap();
    let archivist = server.account("archivist", "R1", &[]).await.unwrap();
    let entry = Entry::of(1, OUTLET);
    clerk.import(entries::csv(std::slice::from_ref(&entry))).await.unwrap().document().unwrap();
    let upload = Upload::of(vec![turned_photograph()]).for_slip(&entry.slip_number);
    let scan_id = clerk.upload(&upload).await.unwrap().scan_ids().remove(0);
    server.wait_until_settled().await.unwrap();
    let scan = clerk.get(&format!("/api/v1/scans/{scan_id}"), &[]).await.unwrap().document().unwrap();
    let page_id = scan["pages"][0]["id"].as_str().unwrap().to_owned();

    let clear = picture(&clerk, &page_id, 320).await;
    let again = picture(&clerk, &page_id, 320).await;
    let blurred = picture(&archivist, &page_id, 320).await;
    let unasked = clerk.get(&format!("/api/v1/pages/{page_id}/image"), &[]).await.unwrap();

    let shown = image::load_from_memory(&clear).unwrap();
    assert_eq!((shown.width(), shown.height()), (200, 320), "the photograph stands upright");
    assert!(!clear.windows(4).any(|window| window == b"Exif"));
    assert!(contrast(&clear) > 100, "{}", contrast(&clear));
    assert!(contrast(&blurred) < contrast(&clear) / 2, "{}", contrast(&blurred));
    assert!(!again.is_empty());
    assert_eq!((unasked.status.as_u16(), unasked.code()), (400, "reason_required"), "{}", unasked.text);
    let looks = server.catalogue().await.unwrap().times("see_page", &page_id).await.unwrap();
    assert_eq!(looks, 3, "one for each look");
    server.verify().await.unwrap();
}
