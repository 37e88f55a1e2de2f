"""A day with the lists: quick filters, a view kept, columns chosen, many rows changed; on a phone too."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.conftest import Visitor

pytestmark = pytest.mark.e2e


def number(text: str | None) -> int:
    """Read a figure on the page."""
    return int(re.sub(r"\D", "", text or "") or -1)


def chip(page: Page, group: str, value: str) -> int:
    """The count beside a quick filter, once it is there."""
    count = page.locator(f"[data-count='{group}'][data-value='{value}']")
    expect(count).not_to_be_empty()
    return number(count.text_content())


def test_a_chip_shows_as_many_rows_as_it_counts(desk: Visitor) -> None:
    desk.sign_in("admin")
    page = desk.open("/admin/student/")
    counted = chip(page, "status", "active")

    page.get_by_role("link", name=re.compile("^Studying")).click()

    expect(page.locator(".page-head .count")).to_have_text(str(counted))
    assert desk.complaints == []


def test_grade_levels_are_chosen_one_after_another_from_the_keyboard(desk: Visitor) -> None:
    desk.sign_in("admin")
    page = desk.open("/admin/student/")
    page.locator("[data-group=level] summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    # The menu is open again on the next page, so that a second one is near.
    expect(page).to_have_url(re.compile("flt0_level=1$"))
    expect(page.locator("[data-group=level]")).to_have_attribute("open", "")
    page.get_by_role("link", name=re.compile(r"^Grade 2\b")).click()

    expect(page).to_have_url(re.compile("flt0_level=1,2$"))
    page.wait_for_load_state()
    expect(page.locator("[data-group=level] summary")).to_contain_text("Grade 1, Grade 2")
    page.keyboard.press("Escape")
    expect(page.locator("[data-group=level]")).not_to_have_attribute("open", "")
    assert desk.complaints == []


def test_a_menu_of_classes_is_filled_when_it_is_opened(desk: Visitor) -> None:
    desk.sign_in("admin")
    page = desk.open("/admin/attendance/?flt0_seen=late")
    menu = page.locator("[data-group=class]")
    expect(menu.locator("li")).to_have_count(1)

    menu.locator("summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")

    first = menu.locator("li a:not([data-choices])").first
    expect(first.locator(".quick-count")).to_have_text(re.compile(r"^[\d,]+$"))
    expect(first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"flt0_seen=late&flt1_class=\d+$"))
    expect(menu).to_have_attribute("open", "")
    assert desk.complaints == []


def test_a_menu_at_the_edge_of_the_page_stays_on_it(desk: Visitor) -> None:
    desk.sign_in("admin")
    page = desk.open("/admin/attendance/")
    menu = page.locator("[data-group=class]")
    panel = menu.locator(".menu-panel")

    def is_on_the_page() -> bool:
        box = panel.bounding_box()
        return box is not None and box["x"] >= 0 and box["x"] + box["width"] <= page.evaluate("innerWidth")

    # Where the line of chips breaks depends on language and counts; here the menu is put to its end.
    menu.evaluate("menu => Object.assign(menu.style, { position: 'fixed', right: '4px', top: '200px' })")
    menu.locator("summary").click()
    expect(panel).to_have_class(re.compile("is-turned"))
    assert is_on_the_page()

    page.keyboard.press("Escape")
    menu.evaluate("menu => Object.assign(menu.style, { right: '500px' })")
    menu.locator("summary").click()
    expect(panel).not_to_have_class(re.compile("is-turned"))
    assert is_on_the_page()


def test_a_menu_that_counts_push_to_the_edge_stays_on_the_page(desk: Visitor) -> None:
    desk.sign_in("admin")
    held: list[Route] = []
    desk.page.route("**/counts/*", lambda route: held.append(route))
    page = desk.open("/admin/attendance/")
    menu = page.locator("[data-group=level]")
    menu.locator("summary").click()
    expect(menu.locator("li a").first).to_be_visible()

    menu.evaluate("menu => Object.assign(menu.style, { position: 'fixed', right: '4px', top: '200px' })")
    held[0].continue_()

    expect(menu.locator(".menu-panel")).to_have_class(re.compile("is-turned"))


def test_without_an_answer_a_menu_keeps_its_link_to_a_page_that_has_it_open(desk: Visitor) -> None:
    desk.sign_in("admin")
    page = desk.open("/admin/attendance/")
    page.route(
        "**/*menu=class*", lambda route: route.abort() if route.request.resource_type == "fetch" else route.continue_()
    )

    page.locator("[data-group=class] summary").click()
    page.get_by_role("link", name="Show what can be chosen").click()

    expect(page).to_have_url(re.compile(r"menu=class$"))
    expect(page.locator("[data-group=class] li a").first).to_be_visible()


def test_a_desk_shows_fifteen_rows_and_keeps_the_head(desk: Visitor) -> None:
    desk.sign_in("admin")

    for entity in ("student", "attendance", "grade", "enrollment", "activitylog"):
        page = desk.open(f"/admin/{entity}/")
        seen = page.evaluate(
            """() => {
              const box = document.querySelector('.list-box').getBoundingClientRect();
              const rows = [...document.querySelectorAll('table.list tbody tr')];
              const end = Math.min(box.bottom, innerHeight);
              return rows.filter((row) => row.getBoundingClientRect().bottom <= end).length;
            }"""
        )
        assert seen >= 15, (entity, seen)
        page.locator(".list-box").evaluate("box => box.scrollTop = 400")
        expect(page.locator("table.list thead th").first).to_be_in_viewport()


def test_columns_are_chosen_and_kept_in_a_view(desk: Visitor) -> None:
    desk.sign_in("secretary")
    page = desk.open("/admin/student/?flt0_status=active")
    page.locator("summary", has_text="Columns").click()
    page.get_by_label("Village").check()
    page.get_by_label("Sex").uncheck()
    page.get_by_role("button", name="Show these").click()

    expect(page).to_have_url(re.compile(r"columns=\S+student_village$"))
    page.locator(".views-menu summary").click()
    page.get_by_label("Name of the view").fill("Villages")
    page.locator(".views-menu").get_by_role("button", name="Save", exact=True).click()

    expect(page.locator(".views-menu summary")).to_contain_text("Villages")
    desk.open("/admin/student/")
    page.locator(".views-menu summary").click()
    page.locator(".views-menu").get_by_role("link", name="Villages").click()
    heads = page.locator("table.list thead th").all_text_contents()
    assert "Village" in [head.strip() for head in heads]
    assert "Sex" not in [head.strip() for head in heads]
    page.locator(".views-menu summary").click()
    page.get_by_role("button", name="Delete this view").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete this view").click()
    expect(page.get_by_role("main").get_by_role("status").first).to_contain_text("Villages")
    assert desk.complaints == []


def test_all_that_match_are_changed_at_once_and_undone(desk: Visitor) -> None:
    desk.sign_in("admin")
    page = desk.open("/admin/student/?flt0_level=1&flt1_status=active")
    matching = number(page.locator(".page-head .count").text_content())
    page.get_by_label("Select all on this page").check()
    page.get_by_role("button", name=re.compile("Select all .* that match")).click()
    expect(page.locator("#actions [data-count]")).to_contain_text(str(matching))
    page.get_by_role("button", name="Set a need…").click()

    expect(page.get_by_role("heading", level=1)).to_contain_text(str(matching))
    page.get_by_label("Set a need").select_option("needs_transport=1")
    if matching > 50:
        page.get_by_label(f"Type {matching} to go on").fill(str(matching))
    page.get_by_role("button", name="Set a need").click()

    expect(page.locator(".alert-success")).to_contain_text(f"{matching} records changed.")
    page.get_by_role("link", name="Undo").first.click()
    page.locator("#undo").get_by_role("button", name="Undo").click()
    expect(page.get_by_role("main").get_by_role("status").first).to_contain_text("as they were before")
    assert desk.complaints == []


def test_shift_ticks_a_range_and_a_click_on_a_row_opens_it(desk: Visitor) -> None:
    desk.sign_in("admin")
    page = desk.open("/admin/student/")
    boxes = page.locator("main tbody input[type=checkbox]")
    boxes.nth(1).click()
    boxes.nth(4).click(modifiers=["Shift"])

    expect(page.locator("#actions [data-count]")).to_have_text("4 selected")
    exported = page.locator("#actions [data-export]").get_attribute("href") or ""
    assert len(re.findall(r"\d{4}", exported.partition("rows=")[2])) == 4
    page.get_by_role("button", name="Select none").click()
    page.locator("main tbody tr").nth(2).locator("td").nth(3).click()
    expect(page).to_have_url(re.compile("/admin/student/details/"))


def test_the_tools_fit_a_phone(phone: Visitor) -> None:
    phone.sign_in("teacher1")

    for entity in ("student", "attendance", "grade"):
        page = phone.open(f"/admin/{entity}/")
        page.wait_for_load_state()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        small = page.evaluate(
            """() => [...document.querySelectorAll('.quick a, .quick summary, .list-tools summary')]
              .filter((e) => e.getClientRects().length && e.getBoundingClientRect().height < 43.5)
              .map((e) => e.textContent)"""
        )
        assert small == [], entity
    page.locator("[data-group=class] summary").scroll_into_view_if_needed()
    page.locator("[data-group=class] summary").tap()
    page.locator("[data-group=class] li a:not([data-choices])").first.tap()
    expect(page).to_have_url(re.compile("flt0_class="))
    assert phone.complaints == []
