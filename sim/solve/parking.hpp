#pragma once

#include <gemel/sim/solver.hpp>

#include <cstddef>
#include <stdexcept>
#include <type_traits>
#include <vector>

/// What a solver keeps of a subject that stops on its way: numbers, written and read by one list of
/// what there is.
namespace gemel::sim {

class Parking {
public:
    /// Writes.
    explicit Parking(std::vector<double>& to) : to_(&to) {}
    /// Reads.
    /// @throws std::invalid_argument, while reading, where there are other numbers than are asked
    ///         for: of another system, solver or observation
    explicit Parking(const std::vector<double>& from) : from_(&from) {}

    bool is_reading() const { return from_ != nullptr; }

    /// Integers up to 2⁵³ in size, flags and numbers.
    template <class T>
    requires std::is_arithmetic_v<T> || std::is_enum_v<T>
    void operator()(T& value) {
        if (to_ != nullptr)
            to_->push_back(static_cast<double>(value));
        else
            value = static_cast<T>(next());
    }
    template <class T>
    void operator()(std::vector<T>& values) {
        lane(values, 0, 1);
    }
    /// Of [… × width] columns, those of one lane.
    template <class T>
    void lane(std::vector<T>& values, int lane, int width) {
        std::size_t n = values.size() / static_cast<std::size_t>(width);
        (*this)(n);
        if (n != values.size() / static_cast<std::size_t>(width)) refuse();
        for (auto i = static_cast<std::size_t>(lane); i < values.size();
             i += static_cast<std::size_t>(width))
            (*this)(values[i]);
    }
    void lane(double* column, int count, int lane, int width) {
        for (int i = 0; i < count; ++i)
            (*this)(column[i * width + lane]);
    }
    /// That all was read.
    void finish() const {
        if (is_reading() && at_ != from_->size()) refuse();
    }

private:
    [[noreturn]] static void refuse() {
        throw std::invalid_argument(
            "solve: a parked subject is of another system, solver or observation");
    }
    double next() {
        if (at_ >= from_->size()) refuse();
        return (*from_)[at_++];
    }

    std::vector<double>* to_ = nullptr;
    const std::vector<double>* from_ = nullptr;
    std::size_t at_ = 0;
};

} // namespace gemel::sim
