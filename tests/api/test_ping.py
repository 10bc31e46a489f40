"""GET /ping."""

from tests.client import ApiClient, assert_error


class TestPing:
    def test_answers_pong_as_plain_text(self, guest: ApiClient) -> None:
        response = guest.get("/ping")
        assert (response.status_code, response.content) == (200, b"Pong!")
        assert response["Content-Type"] == "text/plain; charset=UTF-8"

    def test_signed_in_caller(self, ada: ApiClient) -> None:
        assert ada.get("/ping").status_code == 200

    def test_unknown_project(self, db: None) -> None:
        assert_error(ApiClient(project="nope").get("/ping"), 404, "project_not_found")

    def test_no_project_is_the_project(self, db: None) -> None:
        assert ApiClient(project=None).get("/ping").status_code == 200
