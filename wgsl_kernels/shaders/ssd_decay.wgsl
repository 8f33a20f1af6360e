alias Elem = f32;
// How far each token of a chunk moves the state of a head, and where in the chunk it is. A lane is a token; every lane
// sums up the whole chunk in order, so that places never fall. `moves` is [tokens, heads][dt', whole, fraction, weight]:
// the place after the token, and dt' times what the rest of the chunk leaves of it.
override dt_stride: u32;
override dt_offset: u32;
override dt_min: f32;
override dt_max: f32;
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> dt: array<Elem>;
@group(0) @binding(2) var<storage, read> a_log: array<f32>;   // [heads]
@group(0) @binding(3) var<storage, read> dt_bias: array<f32>; // [heads]
@group(0) @binding(4) var<storage, read_write> moves: array<vec4<f32>>;
var<workgroup> lost: array<f32, CHUNK>;

@compute @workgroup_size(CHUNK)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    if step.done != 0u {
        return;
    }
    let head = group.x;
    let token = group.y * CHUNK + lane;
    var size = 0.0;
    if token < step.tokens {
        let raw = f32(dt[token * dt_stride + dt_offset + head]) + dt_bias[head];
        size = clamp(softplus(raw), dt_min, dt_max);
    }
    lost[lane] = min(size * exp(a_log[head]), 200.0);
    workgroupBarrier();
    var place = vec2(0.0);
    var own = place;
    for (var t = 0u; t < CHUNK; t++) {
        place = moved(place, lost[t]);
        own = select(own, place, t == lane);
    }
    if token < step.tokens {
        moves[token * heads + head] = vec4(size, own, size * left_between(own, place));
    }
}

fn moved(place: vec2<f32>, by: f32) -> vec2<f32> {
    let fraction = place.y + fract(by);
    return vec2(place.x + floor(by) + floor(fraction), fract(fraction));
}
