// Picks a token from the logits: temperature, top-k, top-p, then a draw by inverse CDF in index order. One workgroup.
//
// Logits are compared by their bits, as integers in the same order; so the k-th largest, and the smallest that
// belongs to the top-p set, are found by bisection on those bits (two bits a pass), exactly and with no sorting.
const WG: u32 = 256u;

struct Sampling {
    temperature: f32, // 0: the largest logit
    top_p: f32,
    top_k: u32, // 0: all
    seed: u32,
}

struct Stop {
    slot: u32,
    before: f32,
}

override vocabulary: u32;

@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> logits: array<u32>; // bits of f32: NaN must survive to be refused
@group(0) @binding(2) var<uniform> sampling: Sampling;
@group(0) @binding(3) var<storage, read_write> token: array<u32>;

var<workgroup> largest_key: atomic<u32>;
var<workgroup> largest_inverse: atomic<u32>; // ~index: the largest is the lowest index
var<workgroup> slots: array<f32, WG>;

fn float_of(key: u32) -> f32 {
    return bitcast<f32>(select(0x80000000u | (0x80000000u - key), key - 0x80000000u, key >= 0x80000000u));
}

// The unnormalised probability of a key, 1 for the largest.
fn weight_of(key: u32, best: u32) -> f32 {
    if key == best {
        return 1.0;
    }
    return exp(max((float_of(key) - float_of(best)) / sampling.temperature, -200.0));
}

// The largest key and the lowest index that has it.
fn largest(lane: u32) -> vec2<u32> {
    var best = 0u;
    var index = lane;
    for (var i = lane; i < vocabulary; i += WG) {
        let key = ordered(logits[i]);
        if key > best {
            best = key;
            index = i;
        }
    }
    if lane == 0u { // wgpu leaves the zeroing of workgroup memory to its caller's settings
        atomicStore(&largest_key, 0u);
        atomicStore(&largest_inverse, 0u);
    }
    workgroupBarrier();
    atomicMax(&largest_key, best);
    workgroupBarrier();
    if atomicLoad(&largest_key) == best {
        atomicMax(&largest_inverse, ~index);
    }
    workgroupBarrier();
    return vec2(atomicLoad(&largest_key), ~atomicLoad(&largest_inverse));
}

// The largest key T such that the keys >= T, of those >= floor, reach `goal`: in number, or in weight (by_weight).
fn threshold(goal: f32, by_weight: bool, floor: u32, best: u32, lane: u32) -> u32 {
    var found = 0u;
    for (var digit = 16u; digit > 0u; digit--) {
        let shift = (digit - 1u) * 2u;
        let cuts = vec4(found) + (vec4(0u, 1u, 2u, 3u) << vec4(shift));
        var reached = vec4(0.0);
        for (var i = lane; i < vocabulary; i += WG) {
            let key = ordered(logits[i]);
            if key >= max(floor, found) {
                let share = select(1.0, weight_of(key, best), by_weight);
                reached += select(vec4(0.0), vec4(share), vec4(key) >= cuts);
            }
        }
        let sums = fold_sum(reached, lane);
        found += dot(vec3<u32>(sums.yzw >= vec3(goal)), vec3(1u)) << shift;
    }
    return found;
}

// The lowest key that may be drawn.
fn lowest_kept(best: u32, lane: u32) -> u32 {
    var floor = 1u;
    if sampling.top_k > 0u {
        floor = max(floor, threshold(f32(sampling.top_k), false, floor, best, lane));
    }
    if sampling.top_p < 1.0 {
        let total = fold_sum(vec4(kept_weight(lane, vocabulary, WG, floor, best)), lane).x;
        floor = max(floor, threshold(sampling.top_p * total, true, floor, best, lane));
    }
    return min(floor, best);
}

// The weight of what is kept among the tokens first, first + by, ... below end.
fn kept_weight(first: u32, end: u32, by: u32, floor: u32, best: u32) -> f32 {
    var sum = 0.0;
    for (var i = first; i < end; i += by) {
        let key = ordered(logits[i]);
        if key >= floor {
            sum += weight_of(key, best);
        }
    }
    return sum;
}

// PCG-RXS-M-XS (O'Neill, PCG, 2014), one step as a hash.
fn hash(value: u32) -> u32 {
    let state = value * 747796405u + 2891336453u;
    let word = ((state >> ((state >> 28u) + 4u)) ^ state) * 277803737u;
    return (word >> 22u) ^ word;
}

// In [0, 1), of 24 bits.
fn uniform_number() -> f32 {
    return f32(hash(hash(sampling.seed) + step.past + step.tokens) >> 8u) / 16777216.0;
}

// The slot at which the running sum of the slots passes `goal`, else the last slot that is not 0; and the sum before.
fn walk(goal: f32) -> Stop {
    var stop = Stop(0u, 0.0);
    var sum = 0.0;
    for (var i = 0u; i < WG && sum <= goal; i++) {
        if slots[i] > 0.0 {
            stop = Stop(i, sum);
            sum += slots[i];
        }
    }
    return stop;
}

// The token at which the running sum of the kept weights, in index order, passes u times their total. Cuts the
// vocabulary into one piece a lane, walks the pieces' weights to the right one, and cuts that one again.
fn draw(u: f32, floor: u32, best: u32, lane: u32) -> u32 {
    let total = fold_sum(vec4(kept_weight(lane, vocabulary, WG, floor, best)), lane).x;
    var goal = u * total;
    var start = 0u;
    var end = vocabulary;
    for (var length = vocabulary; length > 1u; length = (length + WG - 1u) / WG) {
        let piece = (length + WG - 1u) / WG;
        let first = start + lane * piece;
        workgroupBarrier();
        slots[lane] = kept_weight(first, min(first + piece, end), 1u, floor, best);
        workgroupBarrier();
        let stop = walk(goal);
        goal -= stop.before;
        start += stop.slot * piece;
        end = min(start + piece, end);
    }
    return start;
}

@compute @workgroup_size(WG)
fn main(@builtin(local_invocation_index) lane: u32) {
    if step.done != 0u {
        return;
    }
    let best = largest(lane);
    var picked = best.y;
    if sampling.temperature > 0.0 {
        picked = draw(uniform_number(), lowest_kept(best.x, lane), best.x, lane);
    }
    if lane == 0u {
        token[0] = picked;
    }
}
