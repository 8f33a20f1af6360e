// The rank of an expert among a token's router logits, largest first; of equal logits the lower index is first. So a
// rank is a slot, and no rounds of maxima are needed.
override expert_total: u32; // at most MOST_EXPERTS
const MOST_EXPERTS: u32 = 256u;
var<workgroup> keys: array<u32, MOST_EXPERTS>;

// Lays the logits of a token out for `rank`. Call from uniform control flow.
fn stage_logits(token: u32, lane: u32) {
    for (var expert = lane; expert < expert_total; expert += WG) {
        keys[expert] = ordered(logits[token * expert_total + expert]);
    }
    workgroupBarrier();
}

fn rank(expert: u32) -> u32 {
    let key = keys[expert];
    var before = 0u;
    for (var other = 0u; other < expert_total; other++) {
        before += select(0u, 1u, keys[other] > key || (keys[other] == key && other < expert));
    }
    return before;
}
