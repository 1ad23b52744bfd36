#pragma once

#include <gemel/sim/ode_system.hpp>

#include <array>
#include <optional>
#include <span>
#include <vector>

/// Closed forms of linear systems with one to three disposition compartments: y' = A y + s, s
/// constant. Only own maths functions and sqrt, so the bits are the same everywhere.
/// Theory manual: exact.md.
namespace gemel::sim {

/// ∫₀^τ e^{a(τ−u)} e^{bu} du: the first divided difference of e^{xτ} at a and b. Accurate however
/// close a and b are, and for any size of their difference.
double exponential_difference(double a, double b, double tau);

/// The second divided difference of e^{xτ} at a, b and c.
double exponential_difference(double a, double b, double c, double tau);

/// A part of a system that stands alone: one strongly connected block of 1 to 3 states whose
/// couplings form a tree, and any number of single states that feed it (depots).
struct ModalPart {
    std::vector<int> block;
    std::vector<int> depots;
};

/// The parts of a system, or nothing if it is not made of such parts.
std::optional<std::vector<ModalPart>> modal_parts(const SystemStructure& structure);

/// Eigenvalues and eigenvectors of one symmetric matrix of size 1 to 3 by Jacobi rotations.
/// Input: `matrix`, row-major with stride 3; output: eigenvalues on its diagonal.
/// Returns the eigenvectors, [component][eigenvalue].
std::array<std::array<double, 3>, 3>
jacobi_eigenvectors(std::array<std::array<double, 3>, 3>& matrix, int n);

/// The solution of one subject.
class LinearModes {
public:
    explicit LinearModes(std::vector<ModalPart> parts) : parts_(std::move(parts)) {}

    /// Takes up a subject's matrix, row-major [n × n].
    /// @returns false if a coupling runs in opposite senses (a_ij·a_ji < 0, or one of them 0), so
    ///          that the block cannot be made symmetric
    bool set_matrix(int n, const double* a);

    void start(const double* y0, const double* source); ///< τ = 0
    void at(double tau, double* y) const;

    double fastest_rate() const { return fastest_; } ///< largest |eigenvalue|
    double slowest_rate() const { return slowest_; } ///< smallest |eigenvalue| that is not 0, or 0

private:
    struct Depot {
        int state = 0;
        double rate = 0.0;   ///< of the matrix: −ka
        double amount = 0.0; ///< at τ = 0
        double source = 0.0;
    };
    struct Mode {
        double rate = 0.0;
        std::array<double, 3> left{};  ///< amount of the mode per amount in each block state
        std::array<double, 3> right{}; ///< amount in each block state per amount of the mode
        double amount = 0.0;
        double source = 0.0;
        std::vector<double> feed; ///< per depot
    };
    struct Part {
        std::vector<Depot> depots;
        std::vector<Mode> modes;
    };

    bool set_part(const ModalPart& part, int n, const double* a, Part& out);
    void note_rate(double rate);

    std::vector<ModalPart> parts_;
    std::vector<Part> solved_;
    double fastest_ = 0.0;
    double slowest_ = 0.0;
};

} // namespace gemel::sim
