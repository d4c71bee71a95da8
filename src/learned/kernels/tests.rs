use candle_core::{Device, Var};

use super::*;

fn line() -> Vec<f32> {
    (-300..=300).map(|i| i as f32 * 0.02).collect()
}

#[test]
fn gelu_and_its_slope_agree_with_candle() {
    let x = Var::from_vec(line(), line().len(), &Device::Cpu).unwrap();
    let (ours, theirs) = (gelu(&x).unwrap(), x.gelu().unwrap());
    let slope = |y: &Tensor| {
        let gradients = y.sqr().unwrap().sum_all().unwrap().backward().unwrap();
        gradients.get(&x).unwrap().to_vec1::<f32>().unwrap()
    };
    let values = [&ours, &theirs].map(|y| y.to_vec1::<f32>().unwrap());
    let pairs = values[0].iter().zip(&values[1]);
    let slopes = [slope(&ours), slope(&theirs)];
    for (a, b) in pairs.chain(slopes[0].iter().zip(&slopes[1])) {
        assert!((a - b).abs() < 2e-5 * b.abs().max(1.0), "{a} is not {b}");
    }
}

#[test]
fn layer_normalization_and_its_slopes_agree_with_candle() {
    let x = Var::from_vec(line()[..600].to_vec(), (6, 100), &Device::Cpu).unwrap();
    let x = Var::from_tensor(&x.sin().unwrap().exp().unwrap()).unwrap();
    let row = |of: fn(f32) -> f32| {
        let values: Vec<f32> = (0..100).map(|i| of(i as f32)).collect();
        Var::from_vec(values, 100, &Device::Cpu).unwrap()
    };
    let (gain, bias) = (row(|i| 1.0 + i.sin()), row(f32::cos));
    let slopes = |y: &Tensor| {
        let weights = y.cos().unwrap().detach();
        let loss = (y * &weights).unwrap().sum_all().unwrap();
        let gradients = loss.backward().unwrap();
        [&x, &gain, &bias].map(|v| {
            let slope = gradients.get(v).unwrap().flatten_all().unwrap();
            slope.to_vec1::<f32>().unwrap()
        })
    };
    let ours = scale_and_shift(&normalize_rows(&x).unwrap(), &gain, &bias).unwrap();
    let theirs = candle_nn::ops::layer_norm_slow(&x, &gain, &bias, 1e-5).unwrap();
    for (a, b) in slopes(&ours)
        .iter()
        .flatten()
        .zip(slopes(&theirs).iter().flatten())
    {
        assert!((a - b).abs() < 2e-5 * b.abs().max(1.0), "{a} is not {b}");
    }
}

#[test]
fn biases_and_relu_and_their_slopes_agree_with_candle() {
    let x = Var::from_vec(line()[..600].to_vec(), (6, 100), &Device::Cpu).unwrap();
    let bias: Vec<f32> = (0..100).map(|i| (i as f32).cos()).collect();
    let bias = Var::from_vec(bias, 100, &Device::Cpu).unwrap();
    let slopes = |y: &Tensor| {
        let gradients = y.sqr().unwrap().sum_all().unwrap().backward().unwrap();
        [&x, &bias].map(|v| {
            let slope = gradients.get(v).unwrap().flatten_all().unwrap();
            slope.to_vec1::<f32>().unwrap()
        })
    };
    let theirs = x.broadcast_add(&bias).unwrap();
    type Op = fn(Tensor, &Tensor) -> Result<Tensor>;
    for (op, theirs) in [
        (add_bias as Op, theirs.clone()),
        (add_bias_relu, theirs.relu().unwrap()),
    ] {
        let ours = op(x.as_tensor().clone(), &bias).unwrap();
        let in_place = op(x.as_detached_tensor().copy().unwrap(), &bias.detach()).unwrap();
        for y in [&ours, &in_place].map(|y| y.to_vec2::<f32>().unwrap()) {
            assert_eq!(y, theirs.to_vec2::<f32>().unwrap());
        }
        let (ours, theirs) = (slopes(&ours), slopes(&theirs));
        for (a, b) in ours.iter().flatten().zip(theirs.iter().flatten()) {
            assert!((a - b).abs() < 1e-5 * b.abs().max(1.0), "{a} is not {b}");
        }
    }
}

#[test]
fn softmax_and_its_slope_agree_with_candle() {
    let x = Var::from_vec(line()[..594].to_vec(), (3, 198), &Device::Cpu).unwrap();
    let weights = x.sin().unwrap().detach();
    let slope = |p: &Tensor| {
        let loss = (p * &weights).unwrap().sum_all().unwrap();
        let gradients = loss.backward().unwrap();
        let slope = gradients.get(&x).unwrap().flatten_all().unwrap();
        slope.to_vec1::<f32>().unwrap()
    };
    let theirs = candle_nn::ops::softmax(&x, D::Minus1).unwrap();
    for (a, b) in slope(&softmax(&x).unwrap()).iter().zip(slope(&theirs)) {
        assert!((a - b).abs() < 1e-6, "{a} is not {b}");
    }
}
