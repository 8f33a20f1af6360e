alias Elem = f32;
// out = x * weight^T for up to eight tokens a workgroup and rows of whole blocks: LANES lanes own four rows of the weight
// and eight tokens and share out the length, four values at a time, so that a weight is read once for all eight tokens,
// and neighbouring lanes read neighbouring words of both.
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> x: array<vec4<Elem>>;
override inner: u32;
override rows: u32;
override out_stride: u32;
override column: u32;
override alpha: f32;

const LANES: u32 = 32u;
const TOKENS: u32 = 8u;
const FOUR: vec4<u32> = vec4(0u, 1u, 2u, 3u);
var<workgroup> shares: array<vec4<f32>, LANES * TOKENS>; // a component a row

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let row = group.x * 4u;
    let token = group.y * TOKENS;
    let four = min(vec4(row) + FOUR, vec4(rows - 1u)); // past the last, that one again: it is not written
    let low = min(vec4(token) + FOUR, vec4(step.tokens - 1u));
    let high = min(vec4(token + 4u) + FOUR, vec4(step.tokens - 1u));
    var sums0 = mat4x4<f32>(); // a column a token, a component a row
    var sums1 = mat4x4<f32>();
    for (var k4 = lane; k4 < inner / 4u; k4 += LANES) {
        let b = k4 / 8u;
        let by_row = weights(four, b, k4 % 8u, FOUR, scales_of(four, b));
        sums0 += by_row * inputs(low, k4);
        sums1 += by_row * inputs(high, k4);
    }
    for (var t = 0u; t < 4u; t++) {
        shares[t * LANES + lane] = sums0[t];
        shares[(t + 4u) * LANES + lane] = sums1[t];
    }
    workgroupBarrier();
    let t = lane / 4u;
    if token + t < step.tokens && row + lane % 4u < rows {
        epilogue(token + t, row + lane % 4u, total(t, lane % 4u));
    }
}

fn inputs(tokens: vec4<u32>, k4: u32) -> mat4x4<f32> {
    let at = tokens * (inner / 4u) + k4;
    return mat4x4(vec4<f32>(x[at.x]), vec4<f32>(x[at.y]), vec4<f32>(x[at.z]), vec4<f32>(x[at.w]));
}

fn total(t: u32, r: u32) -> f32 {
    var sum = 0.0;
    for (var i = t * LANES; i < (t + 1u) * LANES; i++) {
        sum += shares[i][r];
    }
    return sum;
}
