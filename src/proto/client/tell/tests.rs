use super::*;

#[test]
fn the_oldest_status_is_forgotten_whatever_its_key() {
    let mut beside = Beside::default();
    let key = |n: usize| format!("{:04}", 9999 - n);
    for n in 0..MAX_STATUSES + 10 {
        assert!(beside.raise(&key(n), Status::Acknowledged));
        assert!(!beside.raise(&key(n), Status::Acknowledged), "{n}");
    }
    assert!(!beside.raise(&key(10), Status::Acknowledged));
    assert!(beside.raise(&key(9), Status::Acknowledged), "forgotten");
    assert_eq!((beside.statuses.len(), beside.order.len()), (MAX_STATUSES, MAX_STATUSES));
}
