//! Looking for what a query asks, a page at a time.

use std::cmp::Ordering;

use super::{Query, Sort};
use crate::store::{EpisodeEntry, Store, StoreError};

/// Matches beyond a page that are kept before the last of them are dropped: sorting less often
/// than at every match.
const SORT_SLACK: usize = 512;

/// A stretch of what a query found.
#[derive(Debug, Default)]
pub struct QueryPage {
    pub entries: Vec<EpisodeEntry>,
    /// Why episodes that were looked at on the way could not be read.
    pub unreadable: Vec<StoreError>,
    /// Where the next page goes on; absent at the end. That page may turn out empty.
    pub next: Option<PageCursor>,
}

/// A place in what a query finds. It stays right when episodes come or go.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PageCursor {
    id: u64,
    /// Value of what is sorted by; 0 where nothing is.
    key: f64,
}

/// The first `n` episodes that `query` asks for, after the place `after` where one is given.
///
/// Unsorted, the search ends with the page; sorted, it looks at all summaries, and holds about 2 n
/// entries at most. `watch` is told how many episodes were looked at, and ends the search by
/// returning false: the page is then what was found so far.
///
/// # Errors
/// When the store cannot be read. An episode that cannot is named in the page.
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
    let looked_at = store.entries(before).enumerate().take_while(|(count, _)| {
        stopped = !on_progress(*count);
        !stopped
    });
    let mut found: Vec<(PageCursor, EpisodeEntry)> = Vec::new();
    let mut more = false;
    for (_, entry) in looked_at {
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

/// Leaves the first `n`, in order.
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
