alias Elem = f32;
// out = x * weight^T for many tokens and rows of whole blocks, without workgroup memory and barriers: what adapters in
// software need, which run lanes one after the other, switch between them at a barrier and pay for each load. A lane
// owns 8 rows of the weight and 16 tokens, as eight matrices; neighbours have the same tokens and other rows.
@group(0) @binding(0) var<uniform> step: Step;
override inner: u32;
override rows: u32;
override out_stride: u32;
override column: u32;
override alpha: f32;

const LANES: u32 = 8u;
const LANE_ROWS: u32 = 8u;
const TOKENS: u32 = 16u;
const FOUR: vec4<u32> = vec4(0u, 1u, 2u, 3u);

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let row = (group.x * LANES + lane) * LANE_ROWS;
    let token = group.y * TOKENS;
    let order = order_of(lane);
    let rows0 = min(vec4(row) + FOUR, vec4(rows - 1u)); // past the last, that one again: it is not written
    let rows1 = min(vec4(row + 4u) + FOUR, vec4(rows - 1u));
    var sums00 = mat4x4<f32>(); // a column a token, a component a row; first index tokens, second rows
    var sums01 = mat4x4<f32>();
    var sums10 = mat4x4<f32>();
    var sums11 = mat4x4<f32>();
    var sums20 = mat4x4<f32>();
    var sums21 = mat4x4<f32>();
    var sums30 = mat4x4<f32>();
    var sums31 = mat4x4<f32>();
    for (var b = 0u; b < inner / 32u; b++) {
        let scales0 = scales_of(rows0, b);
        let scales1 = scales_of(rows1, b);
        for (var k4 = 0u; k4 < 8u; k4++) {
            let weights0 = weights(rows0, b, k4, order, scales0);
            let weights1 = weights(rows1, b, k4, order, scales1);
            let x0 = inputs(token, b * 8u + k4, lane);
            sums00 += weights0 * x0;
            sums01 += weights1 * x0;
            let x1 = inputs(token + 4u, b * 8u + k4, lane);
            sums10 += weights0 * x1;
            sums11 += weights1 * x1;
            let x2 = inputs(token + 8u, b * 8u + k4, lane);
            sums20 += weights0 * x2;
            sums21 += weights1 * x2;
            let x3 = inputs(token + 12u, b * 8u + k4, lane);
            sums30 += weights0 * x3;
            sums31 += weights1 * x3;
        }
    }
    finish(token, row, sums00, sums01);
    finish(token + 4u, row, sums10, sums11);
    finish(token + 8u, row, sums20, sums21);
    finish(token + 12u, row, sums30, sums31);
}

fn inputs(token: u32, k4: u32, lane: u32) -> mat4x4<f32> {
    let tokens = min(vec4(token) + FOUR, vec4(step.tokens - 1u));
    return mat4x4(
        input4(tokens.x, k4, lane),
        input4(tokens.y, k4, lane),
        input4(tokens.z, k4, lane),
        input4(tokens.w, k4, lane),
    );
}

fn finish(token: u32, row: u32, sums0: mat4x4<f32>, sums1: mat4x4<f32>) {
    for (var t = 0u; t < 4u && token + t < step.tokens; t++) {
        for (var r = 0u; r < 4u; r++) {
            if row + r < rows {
                epilogue(token + t, row + r, sums0[t][r]);
            }
            if row + 4u + r < rows {
                epilogue(token + t, row + 4u + r, sums1[t][r]);
            }
        }
    }
}
