"""Batch norm and ReLU as one loop forward and one backward, in bf16, by numba."""

import llvmlite.ir as ir
import numpy as np
import torch
from numba import njit, prange, types
from numba.extending import intrinsic


@intrinsic
def _as_float(context, bits):
    """The float32 of the same bits."""
    return types.float32(types.uint32), lambda c, builder, s, args: builder.bitcast(args[0], ir.FloatType())


@intrinsic
def _as_bits(context, value):
    return types.uint32(types.float32), lambda c, builder, s, args: builder.bitcast(args[0], ir.IntType(32))


@njit(inline="always")
def _load(x):
    return _as_float(np.uint32(np.uint32(x) << np.uint32(16)))


@njit(inline="always")
def _rounded(value):
    bits = _as_bits(np.float32(value))
    return np.uint16((bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))) >> np.uint32(16))


BLOCKS = 16


@njit(parallel=True, fastmath=True, cache=True)
def _moments(x, sums):
    n, channels = x.shape
    for block in prange(BLOCKS):
        for i in range(n * block // BLOCKS, n * (block + 1) // BLOCKS):
            for c in range(channels):
                value = _load(x[i, c])
                sums[block, 0, c] += value
                sums[block, 1, c] += value * value


@njit(parallel=True, fastmath=True, cache=True)
def _forward(x, scale, shift, y):
    n, channels = x.shape
    for block in prange(BLOCKS):
        for i in range(n * block // BLOCKS, n * (block + 1) // BLOCKS):
            for c in range(channels):
                y[i, c] = _rounded(max(_load(x[i, c]) * scale[c] + shift[c], np.float32(0)))


@njit(parallel=True, fastmath=True, cache=True)
def _gradient_sums(x, y, g, mean, sums):
    n, channels = x.shape
    for block in prange(BLOCKS):
        for i in range(n * block // BLOCKS, n * (block + 1) // BLOCKS):
            for c in range(channels):
                value = _load(g[i, c]) if y[i, c] > 0 else np.float32(0)
                sums[block, 0, c] += value
                sums[block, 1, c] += value * (_load(x[i, c]) - mean[c])


@njit(parallel=True, fastmath=True, cache=True)
def _backward(x, y, g, a, b, c0, out):
    n, channels = x.shape
    for block in prange(BLOCKS):
        for i in range(n * block // BLOCKS, n * (block + 1) // BLOCKS):
            for c in range(channels):
                value = _load(g[i, c]) if y[i, c] > 0 else np.float32(0)
                out[i, c] = _rounded(value * a[c] + _load(x[i, c]) * b[c] + c0[c])


def _rows(x: torch.Tensor) -> np.ndarray:
    """The bits of a channels-last bf16 image, a row a place."""
    x = x.permute(0, 2, 3, 1).contiguous()
    return x.view(torch.int16).numpy().view(np.uint16).reshape(-1, x.shape[3])


class BatchNormReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, bias, running_mean, running_var, decay, epsilon):
        rows = _rows(x)
        n, channels = rows.shape
        sums = np.zeros((BLOCKS, 2, channels), np.float32)
        _moments(rows, sums)
        first, second = torch.from_numpy(sums.sum(0) / n)
        variance = second - first.square()
        inverse = (variance + epsilon).rsqrt()
        scale = weight.detach() * inverse
        shift = bias.detach() - first * scale
        y = torch.empty_like(x)
        _forward(rows, scale.numpy(), shift.numpy(), _rows(y))
        running_mean.lerp_(first, decay)
        running_var.lerp_(variance * n / (n - 1), decay)
        ctx.save_for_backward(x, y, first, inverse, weight)
        return y

    @staticmethod
    def backward(ctx, g):
        x, y, mean, inverse, weight = ctx.saved_tensors
        rows, kept, given = _rows(x), _rows(y), _rows(g)
        n, channels = rows.shape
        sums = np.zeros((BLOCKS, 2, channels), np.float32)
        _gradient_sums(rows, kept, given, mean.numpy(), sums)
        bias_gradient, centred = torch.from_numpy(sums.sum(0))
        weight_gradient = centred * inverse
        a = weight.detach() * inverse
        b = -a * inverse * weight_gradient / n
        c0 = -a * bias_gradient / n - b * mean
        out = torch.empty_like(x)
        _backward(rows, kept, given, a.numpy(), b.numpy(), c0.numpy(), _rows(out))
        return out, weight_gradient, bias_gradient, None, None, None, None
