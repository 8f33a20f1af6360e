alias Elem = f32;
// (x - mean) / sqrt(variance + epsilon) * weight, plus the bias if there is one, over each row. A workgroup owns a row.
@group(0) @binding(1) var<storage, read> x: array<Elem>;
@group(0) @binding(2) var<storage, read_write> out: array<Elem>;
@group(0) @binding(3) var<storage, read> weight: array<f32>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
override width: u32;
override epsilon: f32;
override WG: u32 = 256;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let start = group.x * width;
    var sum = 0.0;
    for (var i = lane; i < width; i += WG) {
        sum += f32(x[start + i]);
    }
    let mean = reduce_sum(sum, lane) / f32(width);
    var squares = 0.0;
    for (var i = lane; i < width; i += WG) {
        let centred = f32(x[start + i]) - mean;
        squares += centred * centred;
    }
    let factor = inverseSqrt(reduce_sum(squares, lane) / f32(width) + epsilon);
    for (var i = lane; i < width; i += WG) {
        out[start + i] = Elem((f32(x[start + i]) - mean) * factor * weight[i] + bias_at(i));
    }
}
