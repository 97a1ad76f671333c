//! The vocabulary of the stories: characters, things, containers.

/// A character of a story, with the pronouns for it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Character {
    pub(super) name: &'static str,
    /// Subject pronoun, capitalized because it always begins a sentence.
    pub(super) subject: &'static str,
    /// Possessive, lower case.
    pub(super) possessive: &'static str,
}

const fn she(name: &'static str) -> Character {
    Character { name, subject: "She", possessive: "her" }
}

const fn he(name: &'static str) -> Character {
    Character { name, subject: "He", possessive: "his" }
}

pub(super) const CHARACTERS: &[Character] = &[
    she("Ava"),
    she("Mia"),
    she("Zoe"),
    she("Lena"),
    she("Nora"),
    she("Ida"),
    she("Ruth"),
    she("Priya"),
    she("Yuki"),
    she("Amara"),
    she("Rosa"),
    she("Clara"),
    she("Emma"),
    she("Sara"),
    she("Leila"),
    she("Anna"),
    she("Maya"),
    she("Ella"),
    she("Grace"),
    she("Olga"),
    he("Ben"),
    he("Tom"),
    he("Omar"),
    he("Ivan"),
    he("Luis"),
    he("Noah"),
    he("Max"),
    he("Jonas"),
    he("Kofi"),
    he("Ravi"),
    he("Paul"),
    he("Sam"),
    he("Hugo"),
    he("Leo"),
    he("Erik"),
    he("Adam"),
    he("Finn"),
    he("David"),
    he("Chen"),
    he("Marco"),
];

/// Plural nouns. Numbers below two do not occur, so no singular is needed.
pub(super) const THINGS: &[&str] = &[
    "pens", "cards", "apples", "stickers", "marbles", "coins", "stamps", "books", "shells",
    "buttons", "beads", "cookies", "eggs", "pears", "plums", "candles", "pencils", "tickets",
    "badges", "stones", "nuts", "balls", "cups", "plates", "flowers", "seeds", "toys", "blocks",
    "magnets", "photos", "keys", "lemons", "onions", "ribbons", "bottles", "nails", "screws",
    "bricks", "crayons", "muffins",
];

pub(super) const CONTAINERS: &[&str] =
    &["boxes", "bags", "packs", "jars", "baskets", "crates", "trays", "tins"];
