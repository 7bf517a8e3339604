//! The store in a temporary folder, which is the test store of the whole project.

use super::*;
use crate::delivery::{Answer, Lane, Next, State};
use crate::ledger::{Ask, Event, Request};
use crate::model::ChangeKind;
use jiff::Timestamp;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn open() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    (folder, store)
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn request(id: &str) -> Request {
    Request {
        id: id.into(),
        ask: Ask::Change(ChangeKind::Cancel),
        state: crate::ledger::State::Requested,
        source: "Task/t".into(),
        asked_at: None,
        appointment: Some("a1".into()),
        appointment_starts_at: None,
        pathway: None,
        organisation: "RZZ99".into(),
        requested_at: at(0),
        changed_at: at(0),
        reason: None,
    }
}

fn deliver(unit: &Unit<'_>, id: &str, lane: &str) -> Result<(), Error> {
    let lane = Lane::new("pas", lane);
    let new = NewDelivery {
        id,
        request: "t1",
        downstream: "pas",
        lane: &lane,
        resource_type: "Task",
        body: "{}",
        correlation_id: "c",
        at: at(0),
    };
    Ok(unit.put_delivery(&new)?)
}

#[test]
fn a_unit_that_fails_leaves_nothing_and_harms_no_other() {
    let (_folder, store) = open();
    run(async {
        let failed = store.write(|unit| {
            unit.put_request(&request("t1"), "c")?;
            Err::<(), _>(Error::NotFound)
        });
        let panicked = store.write(|unit| -> Result<(), Error> {
            unit.put_request(&request("t2"), "c")?;
            panic!("a fault of ours")
        });
        let kept = store.write(|unit| Ok(unit.put_request(&request("t3"), "c")?));
        let (failed, panicked, kept) = tokio::join!(failed, panicked, kept);
        assert_eq!(failed, Err(Error::NotFound));
        assert!(matches!(panicked, Err(Error::Internal(_))), "{panicked:?}");
        assert_eq!(kept, Ok(()));
        let found = store
            .read(|view| {
                Ok((view.request("t1")?.is_some(), view.request("t2")?.is_some(), view.request("t3")?.is_some()))
            })
            .await;
        assert_eq!(found, Ok((false, false, true)));
    });
}

#[test]
fn a_lane_keeps_its_order_and_lanes_do_not_wait_for_each_other() {
    let (_folder, store) = open();
    run(async {
        let claims = store
            .write(|unit| {
                unit.put_request(&request("t1"), "c")?;
                deliver(unit, "first", "a1")?;
                deliver(unit, "second", "a1")?;
                deliver(unit, "other", "a2")?;
                Ok(unit.claim("pas", 10, at(1), at(60))?)
            })
            .await
            .unwrap();
        assert_eq!(claims.iter().map(|claim| claim.delivery.as_str()).collect::<Vec<_>>(), ["first", "other"]);
        let next = store
            .write(move |unit| {
                let accepted = Answer::Accepted { reference: None };
                let request = unit.record(&claims[0], &accepted, &Next::End(State::Delivered), at(1), at(2))?;
                assert_eq!(request.as_deref(), Some("t1"));
                Ok(unit.claim("pas", 10, at(3), at(60))?)
            })
            .await
            .unwrap();
        assert_eq!(next.iter().map(|claim| claim.delivery.as_str()).collect::<Vec<_>>(), ["second"]);
    });
}

#[test]
fn a_lost_lease_is_taken_over_and_its_late_answer_is_not_recorded() {
    let (_folder, store) = open();
    run(async {
        let (late, current) = store
            .write(|unit| {
                unit.put_request(&request("t1"), "c")?;
                deliver(unit, "d1", "a1")?;
                let late = unit.claim("pas", 10, at(1), at(60))?.remove(0);
                assert!(unit.claim("pas", 10, at(59), at(120))?.is_empty(), "leased");
                let current = unit.claim("pas", 10, at(61), at(120))?.remove(0);
                Ok((late, current))
            })
            .await
            .unwrap();
        assert_eq!(late.message, current.message, "what goes out again is what went out before");
        let recorded = store
            .write(move |unit| {
                let accepted = Answer::Accepted { reference: None };
                let end = Next::End(State::Delivered);
                Ok((
                    unit.record(&late, &accepted, &end, at(1), at(62))?,
                    unit.record(&current, &accepted, &end, at(61), at(63))?,
                ))
            })
            .await
            .unwrap();
        assert_eq!(recorded, (None, Some("t1".into())));
    });
}

#[test]
fn an_exhausted_delivery_holds_its_lane_until_a_person_acts() {
    let (_folder, store) = open();
    run(async {
        let (held, again) = store
            .write(|unit| {
                unit.put_request(&request("t1"), "c")?;
                deliver(unit, "d1", "a1")?;
                deliver(unit, "d2", "a1")?;
                let claim = unit.claim("pas", 10, at(1), at(60))?.remove(0);
                let unreached = Answer::Unreached { reason: "no route".into() };
                unit.record(&claim, &unreached, &Next::End(State::Exhausted), at(1), at(2))?;
                let held = unit.claim("pas", 10, at(3), at(60))?;
                assert_eq!(
                    unit.next_due("pas")?,
                    None,
                    "what waits behind it is not due, or the dispatcher would spin"
                );
                assert!(unit.retry("d1", at(4))?);
                Ok((held, unit.claim("pas", 10, at(5), at(60))?))
            })
            .await
            .unwrap();
        assert!(held.is_empty());
        assert_eq!(again[0].delivery, "d1");
        assert_eq!(again[0].attempt, 1, "the schedule begins anew");
    });
}

#[test]
fn events_move_a_request_and_what_has_ended_stays_ended() {
    let (_folder, store) = open();
    run(async {
        let states = store
            .write(|unit| {
                unit.put_request(&request("t1"), "c")?;
                let happen = |event: Event| unit.happen("t1", &event, "c", at(5));
                Ok([
                    happen(Event::Forwarded)?,
                    happen(Event::Applied)?,
                    happen(Event::Refused { reason: "late".into() })?,
                ])
            })
            .await
            .unwrap();
        assert_eq!(states, [Some(crate::ledger::State::Forwarded), Some(crate::ledger::State::Applied), None]);
        let (open, events) = store.read(|view| Ok((view.open_about("a1")?.len(), view.events("t1")?))).await.unwrap();
        assert_eq!(open, 0);
        assert_eq!(
            events.iter().map(|event| event.name.as_str()).collect::<Vec<_>>(),
            ["requested", "forwarded", "applied"]
        );
    });
}

#[test]
fn a_store_of_another_version_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    Store::open(folder.path()).unwrap().close();
    let file = folder.path().join("stile.sqlite");
    rusqlite::Connection::open(&file).unwrap().pragma_update(None, "user_version", 99).unwrap();
    assert!(matches!(Store::open(folder.path()), Err(Failure::Version { found: 99, known: 1 })));
}

#[test]
fn an_identifier_is_looked_up_and_not_searched_for_among_all_of_its_type() {
    let folder = tempfile::tempdir().unwrap();
    Store::open(folder.path()).unwrap().close();
    let connection = Connection::open(folder.path().join("stile.sqlite")).unwrap();
    let plan = |sql: &str| -> String {
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let values = rusqlite::params_from_iter(vec!["x"; statement.parameter_count()]);
        let rows = statement.query_map(values, |row| row.get::<_, String>(3)).unwrap();
        rows.map(|row| row.unwrap()).collect::<Vec<_>>().join("; ")
    };
    let by =
        |column: &str| format!("SELECT id FROM canonical WHERE kind = ?1 AND {column} = ?2 ORDER BY +id LIMIT 1000");
    for (sql, looked_up) in [
        (view::OWNERS, "value=?"),
        (view::OWNERS_IN_SYSTEM, "value=?"),
        (&by("pathway"), "pathway=?"),
        (&by("patient"), "patient=?"),
        ("SELECT count(*) FROM resource WHERE type = ?1 AND +organisation IN (?2, ?3) AND patient = ?4", "patient=?"),
        ("DELETE FROM identifier WHERE +type = ?1 AND id = ?2", "id=?"),
        ("SELECT json FROM resource WHERE type = ?1 AND id = ?2", "id=?"),
        ("SELECT is_pas FROM canonical WHERE kind = ?1 AND id = ?2", "id=?"),
        ("SELECT id FROM request WHERE appointment = ?1 AND is_open = 1", "appointment=?"),
        (delivery::WITHDRAW, "downstream=? AND due_ms<?"),
    ] {
        let plan = plan(sql);
        assert!(plan.contains(looked_up) && !plan.contains("SCAN"), "{sql}: {plan}");
    }
}
