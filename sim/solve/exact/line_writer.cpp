#include "solve/exact/line_writer.hpp"

#include <algorithm>
#include <cstdint>

namespace gemel::sim::exact {
namespace {

constexpr std::size_t line = Workspace::alignment / sizeof(double);

} // namespace

LineWriter::LineWriter(std::size_t most, const Kernels& kernels)
    : kernels_(kernels),
      held_(most + line) {}

void LineWriter::begin(double* to) {
    first_ = n_ = reinterpret_cast<std::uintptr_t>(to) / sizeof(double) % line;
    to_ = to - first_;
}

double* LineWriter::room() {
    return held_.data() + n_;
}

void LineWriter::put(std::size_t n) {
    n_ += n;
    const std::size_t whole = n_ / line * line;
    if (whole == 0) return;
    double* held = held_.data();
    std::size_t from = 0;
    if (first_ > 0) { // shared with what lies before
        std::copy(held + first_, held + line, to_ + first_);
        from = line;
        first_ = 0;
    }
    kernels_.stream(held + from, to_ + from, whole - from);
    std::copy(held + whole, held + n_, held);
    to_ += whole;
    n_ -= whole;
}

void LineWriter::end() {
    std::copy(held_.data() + first_, held_.data() + n_, to_ + first_);
    kernels_.end_stream();
}

} // namespace gemel::sim::exact
