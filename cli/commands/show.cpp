#include "commands.hpp"
#include "program.hpp"

#include <gemel/scenarios/show.hpp>

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <map>

namespace gemel::cli {

namespace {

using scenarios::ShowWhat;

struct ShowArguments {
    std::string results;
    scenarios::ShowOptions show;
    std::size_t width = 0; ///< 0: the terminal's
};

std::size_t terminal_width() {
    winsize size{};
    if (isatty(STDOUT_FILENO) != 0 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 &&
        size.ws_col > 0)
        return size.ws_col;
    return 100;
}

/// --by is of outcomes; where none are shown it would be ignored.
void check_split(const scenarios::ShowOptions& show) {
    if (!show.by.empty() && show.what != ShowWhat::all && show.what != ShowWhat::outcomes)
        throw CLI::ValidationError("--by", "splits outcomes; use it with --what outcomes or all");
}

int show(ShowArguments options) {
    options.show.width = options.width > 0 ? options.width : terminal_width();
    options.show.is_plain = options.show.is_plain || isatty(STDOUT_FILENO) == 0;
    fmt::print("{}", scenarios::show(options.results, options.show));
    return exit_ok;
}

} // namespace

void add_show(CLI::App& program, Action& action) {
    static const std::map<std::string, ShowWhat> whats{{"all", ShowWhat::all},
                                                       {"contents", ShowWhat::contents},
                                                       {"endpoints", ShowWhat::endpoints},
                                                       {"outcomes", ShowWhat::outcomes},
                                                       {"curves", ShowWhat::curves}};
    auto options = std::make_shared<ShowArguments>();
    CLI::App* command =
        program.add_subcommand("show", "Print results as tables and small plots of text");
    command->add_option("FILE", options->results, "result file")->required();
    command
        ->add_option("--what", options->show.what, "all, contents, endpoints, outcomes or curves")
        ->transform(CLI::CheckedTransformer(whats));
    command->add_option("--by",
                        options->show.by,
                        "splits outcomes: ancestry, a covariate with categories, GENE.phenotype or "
                        "GENE.diplotype");
    command->add_option("--width", options->width, "columns; default: the terminal's")
        ->check(CLI::Range(40, 400));
    command->add_flag("--plain", options->show.is_plain, "plots of ASCII characters, as in a pipe");
    command->callback([options, &action] {
        check_split(options->show);
        action = [options] { return show(*options); };
    });
}

} // namespace gemel::cli
