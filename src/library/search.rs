//! Runs a query, a page at a time.

use std::cmp::Ordering;

use super::{Query, Sort};
use crate::store::{EpisodeEntry, Store, StoreError};

/// Matches beyond a page that are collected before they are sorted and cut to the page.
const SORT_SLACK: usize = 512;

/// A page of the episodes that match a query.
#[derive(Debug, Default)]
pub struct QueryPage {
    /// The episodes in the query's order.
    pub entries: Vec<EpisodeEntry>,
    /// Errors of the episodes that could not be read.
    pub unreadable: Vec<StoreError>,
    /// Where the next page begins, which may turn out empty; `None` at the end.
    pub next: Option<PageCursor>,
}

/// A position in the results of a query. It stays valid when episodes are added or deleted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PageCursor {
    id: u64,
    /// Value of the field that the query sorts by; 0 if it does not sort.
    key: f64,
}

/// The first `n` episodes that match `query`, after the position `after` if it is given.
///
/// Without an order, the search ends when the page is full. With one, it reads all summaries, but holds at most about
/// 2 n entries. `on_progress` receives the number of episodes looked at before each one; if it returns false, the page
/// is what was found so far.
///
/// # Errors
/// [`StoreError`] if the store cannot be read. The errors of single episodes are in the page.
pub fn query_page(
    store: &Store,
    query: &Query,
    after: Option<PageCursor>,
    n: usize,
    mut on_progress: impl FnMut(usize) -> bool,
) -> Result<QueryPage, StoreError> {
    let mut query_page = QueryPage::default();
    if n == 0 {
        return Ok(QueryPage { next: after, ..query_page });
    }
    let before = after.filter(|_| query.sort.is_none()).map(|cursor| cursor.id);
    let mut stopped = false;
    let visited = store.entries(before).enumerate().take_while(|(count, _)| {
        stopped = !on_progress(*count);
        !stopped
    });
    let mut found: Vec<(PageCursor, EpisodeEntry)> = Vec::new();
    let mut more = false;
    for (_, entry) in visited {
        match entry.and_then(|entry| Ok((matches_query(store, query, &entry)?, entry))) {
            Ok((true, entry)) => found.push((PageCursor::of(&entry, query), entry)),
            Ok((false, _)) => continue,
            Err(error @ (StoreError::Damaged { .. } | StoreError::Missing { .. })) => {
                query_page.unreadable.push(error);
                continue;
            }
            Err(error) => return Err(error),
        }
        match query.sort {
            None if found.len() == n => {
                more = true;
                break;
            }
            None => {}
            Some(sort) => {
                let (cursor, _) = &found[found.len() - 1];
                if after.is_some_and(|after| cursor.compare(&after, sort).is_le()) {
                    found.pop();
                }
                if found.len() >= n.saturating_add(n.max(SORT_SLACK)) {
                    more = true;
                    sort_and_truncate(&mut found, sort, n);
                }
            }
        }
    }
    if let Some(sort) = query.sort {
        more |= found.len() > n;
        sort_and_truncate(&mut found, sort, n);
    }
    let last = found.last().map(|(cursor, _)| *cursor);
    query_page.next = if more || stopped { last.or(after) } else { None };
    query_page.entries = found.into_iter().map(|(_, entry)| entry).collect();
    Ok(query_page)
}

fn matches_query(store: &Store, query: &Query, entry: &EpisodeEntry) -> Result<bool, StoreError> {
    query.matches(entry, || store.episode(entry.summary.id).map(|episode| episode.text()))
}

/// Sorts, and keeps the first `n`.
fn sort_and_truncate(found: &mut Vec<(PageCursor, EpisodeEntry)>, sort: Sort, n: usize) {
    found.sort_unstable_by(|(one, _), (other, _)| one.compare(other, sort));
    found.truncate(n);
}

impl PageCursor {
    fn of(entry: &EpisodeEntry, query: &Query) -> Self {
        let key = query.sort.map_or(0.0, |sort| sort.by.of(entry));
        Self { id: entry.summary.id, key }
    }

    fn compare(&self, other: &Self, sort: Sort) -> Ordering {
        let ascending = self.key.total_cmp(&other.key);
        let keys = if sort.descending { ascending.reverse() } else { ascending };
        keys.then(other.id.cmp(&self.id))
    }
}
