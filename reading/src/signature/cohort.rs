//! Names that are nobody's in particular: what the name of the person who signs must stand out from.

/// Common surnames with given names of one and two characters, for "somebody else".
#[rustfmt::skip]
pub(super) const OTHER_NAMES: [&str; 60] = [
    "somebody else", "王建国", "李秀英", "张伟", "刘洋", "陈静", "杨帆", "赵志强", "周婷婷", "吴磊",
    "徐丽", "孙浩然", "胡晓明", "朱琳", "高飞", "林雨欣", "何勇", "郭子轩", "马超", "罗文",
    "梁思远", "宋佳", "郑凯", "谢芳", "韩梅", "唐伟东", "冯雪", "于海涛", "董洁", "萧然",
    "程亮", "曹颖", "袁立", "邓超群", "许诺", "傅强", "沈丹", "曾志伟", "彭博", "吕布凡",
    "苏明玉", "卢俊义", "蒋欣", "蔡依林", "贾楠", "丁一", "魏晨光", "薛之谦", "叶青", "阎学通",
    "余华", "潘石", "杜鹃", "戴维", "夏雨荷", "钟楚", "汪涵", "田甜", "任重", "姜文",
];

/// Names made up of as many characters as asked for, so that their likelihoods bear comparison.
const MADE_UP: usize = 48;
const SURNAMES: [char; 16] =
    ['王', '李', '张', '刘', '陈', '杨', '黄', '赵', '吴', '周', '徐', '孙', '马', '朱', '胡', '郭'];
const GIVEN: [char; 35] = [
    '伟', '芳', '娜', '敏', '静', '丽', '强', '磊', '军', '洋', '勇', '艳', '杰', '娟', '涛', '明', '超',
    '秀', '霞', '平', '刚', '桂', '英', '华', '玉', '兰', '红', '建', '国', '文', '春', '志', '海', '云',
    '龙',
];

/// Made-up names of `length` characters, none of which shares a character with `name` at its place.
pub(super) fn names_like(name: &[char]) -> Vec<Vec<char>> {
    let length = name.len();
    let made_up = |index: usize| {
        let surname = SURNAMES[index % SURNAMES.len()];
        let given = (1..length).map(|place| GIVEN[(index * 3 + place * 11) % GIVEN.len()]);
        std::iter::once(surname).chain(given).take(length).collect::<Vec<char>>()
    };
    let differs = |other: &Vec<char>| other.iter().zip(name).all(|(one, another)| one != another);
    (0..MADE_UP).map(made_up).filter(differs).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn made_up_names_are_many_and_share_no_character_at_its_place() {
        for name in ["王涛", "李浩然", "阿依古丽哈不都"] {
            let name: Vec<char> = name.chars().collect();

            let others = names_like(&name);

            assert!(others.iter().collect::<HashSet<_>>().len() > 35, "{name:?}");
            assert!(others.iter().all(|other| other.len() == name.len() && other[0] != name[0]));
        }
    }

    #[test]
    fn nothing_is_like_no_name() {
        assert!(names_like(&[]).iter().all(Vec::is_empty));
    }
}
