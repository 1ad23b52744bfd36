#pragma once

#include <cvodes/cvodes.h>
#include <nvector/nvector_serial.h>
#include <sundials/sundials_context.h>
#include <sundials/sundials_linearsolver.h>
#include <sundials/sundials_matrix.h>

#include <memory>
#include <span>

/// SUNDIALS' objects with owners. It says what went wrong by return codes only: nothing is printed.
namespace gemel::sim {

/// What the objects of one thread share. Destroyed after them: declare it first.
class SunContext {
public:
    SunContext();
    ~SunContext();
    SunContext(const SunContext&) = delete;
    SunContext& operator=(const SunContext&) = delete;
    SUNContext get() const { return context_; }

private:
    SUNContext context_ = nullptr;
};

struct SunFree {
    void operator()(N_Vector vector) const { N_VDestroy(vector); }
    void operator()(SUNMatrix matrix) const { SUNMatDestroy(matrix); }
    void operator()(SUNLinearSolver solver) const { SUNLinSolFree(solver); }
};
using SunVector = std::unique_ptr<_generic_N_Vector, SunFree>;
using SunMatrix = std::unique_ptr<_generic_SUNMatrix, SunFree>;
using SunLinearSolver = std::unique_ptr<_generic_SUNLinearSolver, SunFree>;

/// A vector of zeros. At least one element long: SUNDIALS knows no empty systems.
SunVector sun_vector(const SunContext& context, int size);

inline std::span<double> values(N_Vector vector) {
    return {N_VGetArrayPointer(vector), static_cast<std::size_t>(N_VGetLength(vector))};
}

/// CVODE's memory. Its messages go nowhere: return codes say the same.
struct CvodeFree {
    void operator()(void* memory) const { CVodeFree(&memory); }
};
using CvodeMemory = std::unique_ptr<void, CvodeFree>;

/// An integrator by backward differentiation formulas, not yet initialised.
CvodeMemory cvode_bdf(const SunContext& context);

/// A return code that only a mistake of ours, or no memory left, can explain.
/// @throws std::runtime_error naming the function and the code if it is negative
void require(int code, const char* function);

} // namespace gemel::sim
