//! Evening the light and choosing what of the colour to read, without thresholds that erase faint print.

use image::RgbImage;
