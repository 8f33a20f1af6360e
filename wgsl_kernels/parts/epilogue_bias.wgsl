// Epilogue of a linear: activation(alpha * sum + bias).
@group(0) @binding(2) var<storage, read_write> out: array<Elem>;
@group(0) @binding(5) var<storage, read> bias: array<f32>;

fn epilogue(token: u32, row: u32, sum: f32) {
    out[token * out_stride + column + row] = Elem(activated(alpha * sum + bias[row]));
}
