#pragma once

#include <cstddef>
#include <memory>
#include <new>

namespace gemel::sim {

/// Doubles aligned to 64 bytes, as kernels want them. Fixed size, never copied.
class Workspace {
public:
    static constexpr std::size_t alignment = 64;

    Workspace() = default;
    explicit Workspace(std::size_t size, double value = 0.0)
        : data_(static_cast<double*>(
              ::operator new[](size * sizeof(double) + alignment, std::align_val_t{alignment}))) {
        for (std::size_t i = 0; i < size; ++i)
            data_.get()[i] = value;
    }

    double* data() { return data_.get(); }
    const double* data() const { return data_.get(); }

private:
    struct Free {
        void operator()(double* p) const { ::operator delete[](p, std::align_val_t{alignment}); }
    };
    std::unique_ptr<double, Free> data_;
};

} // namespace gemel::sim
